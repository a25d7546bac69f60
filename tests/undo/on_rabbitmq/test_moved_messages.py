"""On RabbitMQ purged messages come back exactly, whoever publishes and takes meanwhile."""

import itertools
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from amqp import Message
from kombu import Queue

from knowledge_base_agent.fleet.deadline import Deadline
from knowledge_base_agent.keeping import Keeper
from knowledge_base_agent.problems import NotFound
from knowledge_base_agent.records.database import reading, writing
from knowledge_base_agent.records.keepsakes import keepsakes_of
from tests.operations.crew import Crew
from tests.operations.place import notes, table
from tests.undo.on_rabbitmq.lying import (
    bodies,
    channel,
    declare,
    empty,
    lying,
    numbered,
    publish,
    ready,
)
from tests.undo.test_killed_on_the_way import newest
from tests.undo.test_purged_messages import purge, undo_of
from tests.waiting import wait_until

PURGE = "purge --queue celery --reason test"


def of_all_kinds() -> Iterator[Message]:
    """Yield messages with everything that AMQP lets a message have."""
    table_ = {"n": None, "i": 2**40, "l": [1, "x", {"y": b"\xff"}], "f": 1.5, "t": True, "s": "é"}
    for number in range(240):
        yield Message(
            bytes([number, 0xFF, 0x00]),
            content_type="application/data",
            content_encoding="utf-16",
            application_headers=table_ | {"number": number},
            delivery_mode=1 + number % 2,
            priority=number % 10,
            correlation_id=f"c-{number}",
            reply_to="somewhere",
            expiration=str(3_600_000 + number),
            message_id=f"id-{number % 7}",
            timestamp=1_790_000_000 + number,
            type="a type",
            app_id="an app",
        )
    yield Message(b"")


def asides(shell: Crew, run: str) -> list[str]:
    """Return the queues in which a run has put messages aside."""
    with reading(shell.deployment.engine) as connection:
        (kept,) = keepsakes_of(connection, run)
    return [aside for _, aside in kept.kept["queues"]]


def test_messages_of_all_kinds_come_back_as_they_were_in_their_order(
    alone: Crew, broker: str
) -> None:
    arguments = {"x-max-priority": 9}
    alone.deployment.app.amqp.queues.add(Queue("urgent", queue_arguments=arguments))
    declare(broker, "urgent", **arguments)
    publish(broker, "urgent", of_all_kinds())
    before = lying(broker, "urgent")

    preview = alone.previews("purge --queue urgent --reason test")
    assert "For 24 h `undo` can bring them back. They come back behind" in preview.report.text
    report = alone.confirms(preview)
    assert report.data["removed"] == {"urgent": 241}
    assert ready(broker, "urgent") == 0
    assert "brings it back until" in notes(report)
    (aside,) = asides(alone, newest(alone))
    assert aside.startswith("kb.undo.op-1.")
    parked = lying(broker, aside)
    assert len(parked) == 241
    assert not [one for _, one in parked if "expiration" in one], "none runs out there"

    undo = alone.previews(f"{undo_of(report)} --reason test")
    assert undo.affected == 241
    row = table(undo.report, "What comes back")["messages of urgent"]
    assert row.cells[1:] == (241, "", "behind what waits in it")
    done = alone.confirms(undo)
    assert done.data["back"] == {"messages of urgent": 241}
    assert lying(broker, "urgent") == before
    assert ready(broker, aside) is None, "what held them is removed"
    assert ready(broker, f"{aside}.ledger") is None


def test_what_a_task_was_sent_with_is_what_a_worker_gets_after_an_undo(
    alone: Crew, broker: str
) -> None:
    sent = [alone.send("quick", priority=n) for n in range(3)]
    _, undo = purge(alone, PURGE)
    assert ready(broker, "celery") == 0
    alone.confirms(alone.previews(undo))
    alone.hire("w", "-c", "1")
    wait_until(lambda: sorted(alone.began()) == sorted(sent), what="each ran, once")


def test_what_was_published_meanwhile_is_taken_before_what_comes_back(
    alone: Crew, broker: str
) -> None:
    publish(broker, "celery", numbered(250))
    before = bodies(broker, "celery")
    _, undo = purge(alone, PURGE)
    publish(broker, "celery", [Message("newer")])
    alone.confirms(alone.previews(f"{undo} --reason test"))
    assert bodies(broker, "celery") == [b"newer", *before]


def test_what_is_aside_is_no_queue_that_could_be_purged(alone: Crew, broker: str) -> None:
    publish(broker, "celery", numbered(3))
    alone.confirms(alone.previews(PURGE))
    with pytest.raises(NotFound, match="There is no queue named"):
        alone.previews(f"purge --queue {asides(alone, newest(alone))[0]} --reason test")


def test_without_undo_nothing_is_kept(alone: Crew, broker: str) -> None:
    publish(broker, "celery", numbered(3))
    preview = alone.previews(f"{PURGE} --no-undo")
    assert "For good: nothing is kept to undo it" in preview.report.text
    assert alone.confirms(preview).data["removed"] == {"celery": 3}
    with pytest.raises(NotFound, match="has put nothing aside"):
        alone.previews("undo op-1")


def test_a_queue_that_is_gone_is_refused_with_the_reason_and_comes_back_once_it_is_there(
    alone: Crew, broker: str
) -> None:
    publish(broker, "celery", numbered(120))
    before = bodies(broker, "celery")
    _, undo = purge(alone, PURGE)
    claimed = alone.claims(alone.previews(f"{undo} --reason test"))
    with channel(broker) as opened:
        opened.queue_delete("celery")
    report = alone.executes(claimed)
    assert not report.succeeded
    assert "the queue celery does not exist any more" in report.text
    refused = alone.asks(f"{undo} --reason test --repeat")
    assert "Nothing of op-1 can come back" in refused.title
    assert "this queue does not exist any more" in str(refused.parts)
    declare(broker, "celery")
    alone.confirms(alone.previews(f"{undo} --reason test --repeat"))
    assert bodies(broker, "celery") == before


def test_what_is_over_is_freed(alone: Crew, broker: str) -> None:
    publish(broker, "celery", numbered(3))
    purge(alone, PURGE)
    (aside,) = asides(alone, "op-1")
    with writing(alone.deployment.engine) as connection:
        connection.exec_driver_sql("UPDATE keepsakes SET expires_at = '2026-01-01 00:00:00+00:00'")
    Keeper(deployment=alone.deployment).keep()
    assert (ready(broker, aside), ready(broker, f"{aside}.ledger")) == (None, None)


def test_when_the_time_is_over_half_way_the_rest_stays_and_both_are_counted(
    alone: Crew, broker: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(broker, "celery", numbered(250))
    plan, other = alone.deployment.fleet.amqp_asides.plan(["celery", "other"], "t")
    limit, deadline = threading.Event(), Deadline.after(5)

    def told(done: int, total: int) -> None:
        assert total == 250
        limit.wait(deadline.remaining())

    moved = alone.deployment.fleet.amqp_asides.put_aside(deadline, plan, timedelta(hours=1), told)
    assert (moved.number, moved.problem) == (100, "The time for it was over.")
    assert bodies(broker, "celery") == [f"m-{n}".encode() for n in range(100, 250)]
    assert ready(broker, other.aside) is None

    monkeypatch.setattr("knowledge_base_agent.operations.undo_moved_messages.MOVE_SECONDS", 0.0)
    report = alone.confirms(alone.previews(PURGE))
    assert not report.succeeded
    assert "celery: The time for it was over. 0 were moved aside, and the rest stayed" in notes(
        report
    )


def published_and_taken(url: str, over: threading.Event, taken: list[bytes]) -> int:
    """Publish and take, each message another one, until it is over; return how many were published."""
    with channel(url) as opened:
        for number in itertools.count():
            if over.is_set():
                return number
            opened.basic_publish(Message(f"{threading.get_ident()}-{number}"), routing_key="celery")
            if number % 3 == 0 and (one := opened.basic_get("celery", no_ack=True)) is not None:
                taken.append(one.body)
    return 0


def test_nothing_is_lost_or_doubled_while_others_publish_and_take(alone: Crew, broker: str) -> None:
    publish(broker, "celery", numbered(500))
    over, taken = threading.Event(), list[bytes]()
    claimed = alone.claims(alone.previews(PURGE))
    with ThreadPoolExecutor(2) as pool:
        others = [pool.submit(published_and_taken, broker, over, taken) for _ in range(2)]
        try:
            wait_until(lambda: len(taken) > 50, what="they publish and take")
            report = alone.executes(claimed)
            assert report.data["removed"]["celery"] > 400  # type: ignore[index]
            pending = alone.previews(f"{undo_of(report)} --reason test")
            done = alone.insists(pending)
        finally:
            over.set()
        sent = sum(one.result() for one in others) + 500
    assert done.data["back"] == {"messages of celery": report.data["removed"]["celery"]}  # type: ignore[index]
    wait_until(lambda: ready(broker, "celery") == sent - len(taken), what="all have arrived")
    found = Counter([*taken, *bodies(broker, "celery")])
    assert (len(found), max(found.values())) == (sent, 1)


def test_a_broker_that_has_forgotten_what_moved_brings_back_all_that_is_aside(
    alone: Crew, broker: str
) -> None:
    """As a restart does: it drops transient messages. That this one is transient, the queue's copy says."""
    publish(broker, "celery", numbered(250))
    before = bodies(broker, "celery")
    _, undo = purge(alone, PURGE)
    (aside,) = asides(alone, "op-1")
    ((_, properties),) = lying(broker, f"{aside}.ledger")
    assert properties["delivery_mode"] == 1
    assert {one["delivery_mode"] for _, one in lying(broker, aside)} == {2}
    empty(broker, f"{aside}.ledger")
    alone.confirms(alone.previews(f"{undo} --reason test"))
    assert bodies(broker, "celery") == before


def test_what_would_copy_a_message_elsewhere_or_have_it_refused_does_not_come_back(
    alone: Crew, broker: str
) -> None:
    declare(broker, "other")
    headers = {"CC": ["other"], "kept": 1}
    publish(broker, "celery", [Message(b"m", application_headers=headers, user_id="guest")])
    assert ready(broker, "other") == 1
    _, undo = purge(alone, PURGE)
    alone.confirms(alone.previews(undo))
    assert lying(broker, "celery") == [(b"m", {"application_headers": {"kept": 1}})]
    assert ready(broker, "other") == 1, "no copy of it was sent"
