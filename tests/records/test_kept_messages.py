"""A message is kept as it was sent, or not at all: what is sent again must be the same work."""

import contextlib
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from celery import Celery, signature
from kombu.utils.json import dumps, loads
from redis import Redis
from sqlalchemy import Engine, select

from knowledge_base_agent.records import states
from knowledge_base_agent.records.batches import write_entries
from knowledge_base_agent.records.clearing import clear
from knowledge_base_agent.records.database import reading, writing
from knowledge_base_agent.records.stream import FIELD, HISTORY_KEY, Entry, decode
from knowledge_base_agent.records.task_message_tables import TASK_MESSAGES
from knowledge_base_agent.records.task_messages import KeptMessage, decoded, kept_messages
from knowledge_base_agent.records.tracking import track
from tests.records.entries import entry
from tests.servers import RedisSpace


def sent(space: RedisSpace, *, keep: bool = True, **message: Any) -> Entry:
    """Publish a task of a tracked app, and return its entry."""
    with Celery("theirs", broker=space.broker_url, set_as_current=False) as app:
        tracking = track(app, space.progress_url, keep_messages=keep)
        app.send_task("shop.pay", **message)
        tracking.stop()
    with contextlib.closing(Redis.from_url(space.progress_url)) as client:
        found: Any = client.xrange(HISTORY_KEY)
    return decode(found[-1][1][FIELD])


def kept(space: RedisSpace, **message: Any) -> KeptMessage | None:
    """Publish a task and return its message as it is kept."""
    said = sent(space, **message).message
    return decoded(said) if said is not None else None


def test_arguments_of_every_kind_come_back_as_they_were_and_so_does_what_follows(
    redis_space: RedisSpace,
) -> None:
    at = datetime(2026, 3, 1, tzinfo=UTC)
    after = signature("shop.mail", args=(1,))
    message = kept(
        redis_space, args=[1, "x", at, Decimal("1.10"), b"raw"], kwargs={"deep": {"list": [None]}},
        time_limit=90, soft_time_limit=60, link=after, chain=[signature("shop.last")],
    )  # fmt: skip
    assert message is not None
    as_a_worker_reads_it = loads(dumps(list(message.args)))
    assert as_a_worker_reads_it == [1, "x", at, Decimal("1.10"), b"raw"]
    assert message.kwargs == {"deep": {"list": [None]}}
    assert (message.time_limit, message.soft_time_limit) == (90, 60)
    assert message.callbacks[0]["task"] == "shop.mail"
    assert message.chain[0]["task"] == "shop.last"


def test_a_message_is_not_kept_unless_asked_for_nor_when_it_is_larger_than_64_kb(
    redis_space: RedisSpace,
) -> None:
    assert sent(redis_space, keep=False, args=["secret"]).message is None
    assert sent(redis_space, args=["x" * 70_000]).message is None
    assert sent(redis_space, args=[object], serializer="pickle").message is None


def test_a_kept_message_is_recorded_with_its_row_and_goes_with_it(engine: Engine) -> None:
    message = (
        '{"task": "a.b", "args": [7], "kwargs": {}, "limits": [null, null], "ignore_result": false}'
    )
    first = entry(states.PENDING, "kept", message=message.replace("7", "6"))
    again = entry(states.PENDING, "kept", at=5, message=message)
    huge = entry(states.PENDING, "huge", message="[" + "0," * 70_000 + "0]")
    with writing(engine) as connection:
        write_entries(connection, [again, first, entry(states.SUCCESS, "plain"), huge])
        write_entries(connection, [entry(states.FAILURE, "kept", at=9)])
    with reading(engine) as connection:
        found = kept_messages(connection, ["kept", "plain", "huge"])
    assert {one: list(said.args) for one, said in found.items()} == {"kept": [7]}
    clear(engine, states=["FAILURE"], cutoff=datetime(2027, 1, 1, tzinfo=UTC))
    with reading(engine) as connection:
        assert connection.execute(select(TASK_MESSAGES)).all() == []


def test_what_is_no_message_of_ours_is_never_sent() -> None:
    for junk in ("", "7", "{}", '{"task": 1}', '{"task": "a", "args": "(1,)", "kwargs": {}}'):
        assert decoded(junk) is None
