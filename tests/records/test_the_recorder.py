"""The recorder on real Valkey and both databases: what it must not lose, and what it says when something is lost."""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta

import pytest
from redis import Redis
from sqlalchemy import Engine, text

from knowledge_base_agent.clock import utc_now
from knowledge_base_agent.records import states
from knowledge_base_agent.records.batches import Overtaken, Recorded, write_batch
from knowledge_base_agent.records.database import open_engine, reading, writing
from knowledge_base_agent.records.recorder_state import gaps_since, read_recorder_state
from knowledge_base_agent.records.stream import FIELD, GAP, HISTORY_KEY, LEASE_KEY, Entry
from knowledge_base_agent.records.stream_reader import Position
from knowledge_base_agent.records.task_history import rows_by_ids
from knowledge_base_agent.settings import Settings
from tests.records.deployment import ROOT, environment, recording, settings_for
from tests.records.entries import add_to_stream, caught_up, entry, life, recorded
from tests.servers import RedisSpace
from tests.waiting import wait_until


@pytest.fixture
def settings(redis_space: RedisSpace, database_url: str) -> Settings:
    return settings_for(redis_space, database_url)


@pytest.fixture
def stream(settings: Settings) -> Iterator[Redis]:
    with contextlib.closing(Redis.from_url(settings.history_url)) as client:
        yield client


def lost_entries(engine: Engine) -> list[tuple[str, int | None]]:
    with reading(engine) as connection:
        return [(g.source, g.lost) for g in gaps_since(connection, utc_now() - timedelta(hours=1))]


def test_what_happens_while_the_recorder_is_away_is_recorded_when_it_is_back(
    settings: Settings, stream: Redis, engine: Engine
) -> None:
    add_to_stream(stream, life())
    with recording(settings, engine):
        wait_until(lambda: caught_up(engine, stream))
    for _ in range(300):
        add_to_stream(stream, life(end=states.FAILURE))
    with recording(settings, engine, batch=100):
        wait_until(lambda: caught_up(engine, stream))

    assert recorded(engine) == {"SUCCESS": 1, "FAILURE": 300}
    assert lost_entries(engine) == []


def test_entries_that_were_trimmed_before_anyone_read_them_are_a_gap_of_that_size(
    settings: Settings, stream: Redis, engine: Engine
) -> None:
    add_to_stream(stream, life())
    with recording(settings, engine):
        wait_until(lambda: caught_up(engine, stream))
    for _ in range(50):
        add_to_stream(stream, life(), cap=40)
    with recording(settings, engine):
        wait_until(lambda: caught_up(engine, stream))

    assert lost_entries(engine) == [("stream", 160)]
    assert recorded(engine) == {"SUCCESS": 11}


def test_a_stream_that_was_emptied_is_a_gap_of_unknown_size_and_recording_goes_on(
    settings: Settings, stream: Redis, engine: Engine
) -> None:
    add_to_stream(stream, life())
    with recording(settings, engine):
        wait_until(lambda: caught_up(engine, stream))
        stream.delete(HISTORY_KEY)
        add_to_stream(stream, [entry(states.PENDING, "new")])
        wait_until(lambda: recorded(engine) == {"SUCCESS": 1, "PENDING": 1})
        wait_until(lambda: lost_entries(engine) == [("stream", None)])
        add_to_stream(stream, life("new"))
        wait_until(lambda: recorded(engine) == {"SUCCESS": 2})

    assert lost_entries(engine) == [("stream", None)]


def test_what_a_process_had_to_drop_is_a_gap_that_names_the_process(
    settings: Settings, stream: Redis, engine: Engine
) -> None:
    add_to_stream(stream, [Entry(GAP, "", 1, retries=7, worker="host:12", error_message="away")])
    with recording(settings, engine):
        wait_until(lambda: lost_entries(engine) == [("host:12", 7)])


def test_junk_in_the_stream_is_counted_and_does_not_hold_up_what_follows(
    settings: Settings, stream: Redis, engine: Engine
) -> None:
    stream.xadd(HISTORY_KEY, {FIELD: b"\xff junk"})
    stream.xadd(HISTORY_KEY, {"other": "field"})
    add_to_stream(stream, [entry("DANCING"), entry(states.PENDING, "*"), entry(states.PENDING, "")])
    add_to_stream(stream, [entry(states.PENDING, "late", at=9e9)])
    add_to_stream(stream, [entry(states.FAILURE, "nul", error_message="a\x00b", retries=3)])
    with recording(settings, engine):
        wait_until(lambda: caught_up(engine, stream))

    assert recorded(engine) == {"FAILURE": 1}
    assert lost_entries(engine) == [("stream", 6)]
    with reading(engine) as connection:
        assert rows_by_ids(connection, ["nul"])["nul"].error_message == "ab"


def test_entries_that_come_twice_change_nothing(
    settings: Settings, stream: Redis, engine: Engine
) -> None:
    told = life()
    with recording(settings, engine):
        for _ in range(3):
            add_to_stream(stream, told)
            wait_until(lambda: caught_up(engine, stream))

    assert recorded(engine) == {"SUCCESS": 1}


def test_a_recorder_that_was_overtaken_writes_nothing(engine: Engine) -> None:
    first, second = Position(), Position(last_id="5-0", number=5)
    with writing(engine) as connection:
        write_batch(connection, _batch(first, second, life("a")))

    with pytest.raises(Overtaken), writing(engine) as connection:
        write_batch(connection, _batch(first, Position(last_id="9-0", number=9), life("b")))

    assert recorded(engine) == {"SUCCESS": 1}


def _batch(before: Position, after: Position, entries: list[Entry]) -> Recorded:
    return Recorded(entries=entries, before=before, after=after, lag=0, holder="test")


def test_a_locked_database_is_waited_for_and_nothing_is_lost(
    settings: Settings, stream: Redis, sqlite_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    impatient = open_engine(sqlite_url, deadline=0.2)
    other = open_engine(sqlite_url)
    with other.connect() as holder:
        holder.execute(text("SELECT 1"))  # begins immediate: the only writer
        with recording(settings, impatient):
            add_to_stream(stream, life())
            wait_until(lambda: "Recorder waits" in caplog.text)
            holder.rollback()
            wait_until(lambda: caught_up(impatient, stream))

    assert recorded(impatient) == {"SUCCESS": 1}
    impatient.dispose()
    other.dispose()


@contextlib.contextmanager
def recorder_process(settings: Settings) -> Iterator["subprocess.Popen[bytes]"]:
    command = [sys.executable, "-m", "tests.records.recorder_process", "50"]
    with subprocess.Popen(command, env=environment(settings), cwd=ROOT) as process:
        try:
            yield process
        finally:
            process.kill()


def test_a_killed_recorder_is_replaced_within_seconds_and_every_count_is_right(
    settings: Settings, stream: Redis, engine: Engine
) -> None:
    with recorder_process(settings) as one, recorder_process(settings) as other:
        add_to_stream(stream, life())
        wait_until(lambda: recorded(engine) == {"SUCCESS": 1}, within=20)
        add_to_stream(stream, [entry for _ in range(500) for entry in life()])
        wait_until(lambda: recorded(engine).get("SUCCESS", 0) > 20)
        active = one if _holder(stream) == one.pid else other
        os.kill(active.pid, signal.SIGKILL)
        wait_until(lambda: recorded(engine) == {"SUCCESS": 501}, within=15)

        assert _holder(stream) == (other if active is one else one).pid
    assert lost_entries(engine) == []


def _holder(stream: Redis) -> int:
    token = stream.get(LEASE_KEY) or b""
    assert isinstance(token, bytes)
    return int(token.decode().split(":")[1].split("/")[0])


def test_an_idle_recorder_says_that_it_is_there(settings: Settings, engine: Engine) -> None:
    began = utc_now()
    with recording(settings, engine):

        def heartbeat() -> bool:
            with reading(engine) as connection:
                state = read_recorder_state(connection)
            return state is not None and state.updated_at >= began and state.lag == 0

        wait_until(heartbeat)


def test_what_is_recorded_leaves_the_stream_and_nothing_else_does(
    settings: Settings, stream: Redis, engine: Engine
) -> None:
    for _ in range(400):
        add_to_stream(stream, life())
    with recording(settings, engine, batch=50, kept=100):
        wait_until(lambda: caught_up(engine, stream))
        wait_until(lambda: stream.xlen(HISTORY_KEY) < 600, what="the stream is trimmed")
        add_to_stream(stream, life(end=states.FAILURE))
        wait_until(lambda: caught_up(engine, stream))

    assert recorded(engine) == {"SUCCESS": 400, "FAILURE": 1}
    assert lost_entries(engine) == []
