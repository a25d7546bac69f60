"""Reading the outside of messages, and nothing but the outside."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kombu import Connection, Exchange, Producer

from knowledge_base_agent.fleet.envelopes import ENVELOPE_LIMIT, read_envelope, read_unacked
from tests.servers import RedisSpace


class Trap:
    """An argument that runs code when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __reduce__(self) -> tuple[object, tuple[str, str]]:
        return open, (str(self._path), "w")


def message(**changes: object) -> bytes:
    """Return a message as kombu writes it."""
    said: dict[str, object] = {
        "body": "W1tdLCB7fSwge31d",
        "content-encoding": "utf-8",
        "content-type": "application/json",
        "headers": {"id": "t-1", "task": "agent.parse", "eta": None, "retries": 2},
        "properties": {"priority": 3, "delivery_info": {"exchange": "", "routing_key": "celery"}},
    }
    return json.dumps(said | changes).encode()


def test_peeking_at_a_pickled_message_runs_no_code(redis_space: RedisSpace, tmp_path: Path) -> None:
    import redis

    trap = tmp_path / "sprung"
    with Connection(redis_space.broker_url) as connection:
        exchange = Exchange("", type="direct")
        Producer(connection.channel(), exchange, serializer="pickle").publish(
            [[Trap(trap)], {}, {}], routing_key="celery", headers={"id": "t-9", "task": "trap"}
        )
    with redis.Redis.from_url(redis_space.broker_url) as client:
        raw = client.lindex("celery", -1)
    assert isinstance(raw, bytes)

    envelope = read_envelope(raw)

    assert envelope is not None
    assert (envelope.id, envelope.name) == ("t-9", "trap")
    assert not trap.exists()


def test_a_message_with_two_megabytes_of_arguments_is_told_by_its_end() -> None:
    decoy = ', \\"content-encoding\\": '
    raw = message(body="A" * 2_000_000 + decoy)
    assert len(raw) > ENVELOPE_LIMIT
    envelope = read_envelope(raw)
    assert envelope is not None
    assert (envelope.id, envelope.retries, envelope.priority) == ("t-1", 2, 3)


def test_an_unacknowledged_message_tells_where_it_came_from_however_large() -> None:
    for body in ("e30=", "A" * 2_000_000):
        raw = b"[" + message(body=body) + b', "agents", "agent.high"]'
        read = read_unacked(raw)
        assert read is not None
        assert (read[0].id, read[1], read[2]) == ("t-1", "agents", "agent.high")


def test_the_publishing_time_is_unknown_unless_the_message_carries_one() -> None:
    silent, stamped = (
        read_envelope(message()),
        read_envelope(message(headers={"id": "t-1", "kb_published": 1_700_000_000.5})),
    )
    assert silent is not None
    assert stamped is not None
    assert silent.published_at is None
    assert stamped.published_at == datetime.fromtimestamp(1_700_000_000.5, UTC)


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"not json",
        b"[]",
        b'{"headers": 3}',
        b'{"headers": {"id": 7}}',
        b"{}",
        b"\xff\xfe",
        b"x" * (ENVELOPE_LIMIT + 1),
        b"\x80\x04\x95",
        b"[" * 60_000,
        b'{"headers": ' + b'{"a":' * 10_000 + b"1",  # deeper than a decoder goes
        b'{"headers": {"id": NaN}}',
        b'{"headers": {"id": "a\xff"}}',
        b'{"headers": {"id": "t-1"}, "properties": {"priority": 1e999}}',
        b'{"headers": {"id": "t-1"}, "properties": {"timestamp": Infinity}}',
        b'{"headers": {"id": "\\ud800"}}',
    ],
)
def test_what_is_no_task_message_is_none_and_no_error(raw: bytes) -> None:
    assert read_envelope(raw) is None
    assert read_unacked(raw) is None


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=12,
)
FIELDS = st.sampled_from(
    ["id", "task", "eta", "expires", "retries", "group", "root_id", "kb_published", "priority", "timestamp"]
)  # fmt: skip
PARTS = st.dictionaries(FIELDS, JSON | st.just("t-1"), max_size=6)


@given(PARTS | JSON, PARTS | JSON, st.binary(max_size=30), st.integers(0, 200))
def test_whatever_lies_in_a_queue_is_read_as_data_or_not_at_all(
    headers: object, properties: object, junk: bytes, cut: int
) -> None:
    packed = json.dumps({"body": "e30=", "headers": headers, "properties": properties}).encode()
    for raw in (
        packed,
        packed[:cut],
        junk,
        packed + junk,
        junk + packed,
        packed.replace(b"t-1", junk),
    ):
        envelope = read_envelope(raw)
        assert envelope is None or isinstance(envelope.id, str)
        unacked = read_unacked(b"[" + raw + b', "x", "y"]')
        assert unacked is None or isinstance(unacked[0].id, str)
