"""Clearing rows: exactly what was shown goes, running tasks' rows stay, and others can write meanwhile."""

import threading
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine, delete, insert

from knowledge_base_agent.problems import Misunderstood
from knowledge_base_agent.records import states
from knowledge_base_agent.records.batches import change_counts, write_entries
from knowledge_base_agent.records.clearing import CLEARED_BY_AGE, clear, clear_candidates
from knowledge_base_agent.records.database import open_engine, reading, writing
from knowledge_base_agent.records.tables import TASK_COUNTS, TASKS
from knowledge_base_agent.records.task_history import last_24_hours, rows_by_ids
from tests.records.entries import NOON, entry, life, recorded

_NOON = datetime.fromtimestamp(NOON / 1_000_000, UTC)
LATER = _NOON + timedelta(hours=1)


def remember(engine: Engine, *told: object) -> None:
    with writing(engine) as connection:
        write_entries(connection, told)  # type: ignore[arg-type]


def test_rows_of_tasks_that_workers_have_never_go_by_age_alone(engine: Engine) -> None:
    remember(engine, *(entry(state, f"task-{state}") for state in states.STATES))
    with reading(engine) as connection:
        found = clear_candidates(connection, (), LATER)

    removed = clear(engine, states=found.states, cutoff=found.cutoff)

    assert removed == found.by_state
    assert set(removed) == {"PENDING", "SUCCESS", "FAILURE", "REVOKED", "REJECTED"}
    assert set(recorded(engine)) == {"RECEIVED", "STARTED", "PROGRESS", "RETRY"}


def test_a_running_state_that_is_named_is_cleared(engine: Engine) -> None:
    remember(engine, entry(states.PROGRESS, "a"), entry(states.STARTED, "b"))

    assert clear(engine, states=["PROGRESS"], cutoff=LATER) == {"PROGRESS": 1}
    assert recorded(engine) == {"STARTED": 1}


def test_no_state_at_all_clears_nothing(engine: Engine) -> None:
    remember(engine, *life())

    assert clear(engine, states=[], cutoff=LATER) == {}


def test_an_unknown_state_is_refused_with_the_states_there_are(engine: Engine) -> None:
    with reading(engine) as connection, pytest.raises(Misunderstood, match="SUCCESS"):
        clear_candidates(connection, ["DONE"], LATER)


def test_a_row_that_ended_at_the_cutoff_or_later_stays(engine: Engine) -> None:
    remember(engine, entry(states.SUCCESS, "old", at=9), entry(states.SUCCESS, "new", at=10))

    clear(engine, states=CLEARED_BY_AGE, cutoff=_NOON + timedelta(seconds=10))

    with reading(engine) as connection:
        assert set(rows_by_ids(connection, ["old", "new"])) == {"new"}


def test_what_is_shown_is_counted_by_state_with_the_oldest_as_a_sample(engine: Engine) -> None:
    ends = [entry(states.FAILURE, f"f{n}", at=n) for n in range(9)]
    remember(engine, *ends, entry(states.SUCCESS, "s", at=0.5))

    with reading(engine) as connection:
        found = clear_candidates(connection, (), LATER)

    assert found.by_state == {"FAILURE": 9, "SUCCESS": 1}
    assert found.total == 10
    assert [record.id for record in found.sample] == ["f0", "s", "f1", "f2", "f3"]


def test_the_digests_are_the_same_for_the_same_rows_and_others_for_others(engine: Engine) -> None:
    remember(engine, *life("a"), *life("b"))
    same_age = {"name": "n", "state": "SUCCESS", "attempt": 0, "retries": 0, "updated_at": _NOON}

    def digests() -> Mapping[str, str]:
        with reading(engine) as connection:
            return clear_candidates(connection, (), LATER).digests

    def replace(old: str, new: str) -> None:
        with writing(engine) as connection:
            connection.execute(delete(TASKS).where(TASKS.c.id == old))
            connection.execute(insert(TASKS), same_age | {"id": new})

    seen = [digests()]
    assert digests() == seen[0]
    # First one in the midst of the rows, then the last: its place is free for the next.
    for old, new in (("a", "c"), ("c", "d"), ("d", "e")):
        replace(old, new)
        assert digests() not in seen
        seen.append(digests())


def test_rows_that_ended_in_the_same_microsecond_go_together(engine: Engine) -> None:
    remember(engine, *(entry(states.SUCCESS, f"t{n}", at=n // 300) for n in range(900)))

    assert clear(engine, states=["SUCCESS"], cutoff=LATER) == {"SUCCESS": 900}
    assert recorded(engine) == {}


def test_each_step_says_how_far_it_is_and_which_rows_are_gone(engine: Engine) -> None:
    remember(engine, *(entry(states.SUCCESS, f"t{n}", at=n / 100) for n in range(450)))
    told: list[int] = []
    gone: list[str] = []

    clear(engine, states=["SUCCESS"], cutoff=LATER, told=told.append, gone=gone.extend)

    assert len(told) > 1
    assert told[-1] == 450
    assert sorted(gone) == sorted(f"t{n}" for n in range(450))


def test_a_clear_that_is_interrupted_leaves_the_counters_right(engine: Engine) -> None:
    remember(engine, *(entry(states.SUCCESS, f"t{n}", at=n / 100) for n in range(450)))

    def interrupt(done: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        clear(engine, states=["SUCCESS"], cutoff=LATER, told=interrupt)

    assert 0 < recorded(engine)["SUCCESS"] < 450


def test_clearing_keeps_what_the_chart_of_the_day_shows(engine: Engine) -> None:
    remember(engine, *life())
    clear(engine, states=["SUCCESS"], cutoff=LATER)

    with reading(engine) as connection:
        day = last_24_hours(connection, now=_NOON + timedelta(minutes=30))

    assert len(day) == 24
    assert day[-1].hour == _NOON
    assert day[-1].by_state == {"SUCCESS": 1}


def test_while_sqlite_is_cleared_another_writer_gets_in_within_a_moment(sqlite_url: str) -> None:
    engine = open_engine(sqlite_url)
    rows = [
        {"id": f"t{n}", "name": "n", "state": "SUCCESS", "attempt": 0, "retries": 0}
        | {"updated_at": _NOON + timedelta(microseconds=n)}
        for n in range(15_000)
    ]
    with writing(engine) as connection:
        connection.execute(insert(TASKS), rows)
        connection.execute(insert(TASK_COUNTS), {"state": "SUCCESS", "tasks": len(rows)})
    clearing = threading.Thread(
        target=clear, args=(engine,), kwargs={"states": ["SUCCESS"], "cutoff": LATER}
    )
    waits: list[float] = []
    clearing.start()
    while clearing.is_alive():
        began = time.perf_counter()
        with writing(engine) as connection:
            change_counts(connection, {"FAILURE": 0})  # type: ignore[arg-type]
        waits.append(time.perf_counter() - began)
    clearing.join()

    assert recorded(engine) == {}
    assert len(waits) > 20
    assert sorted(waits)[len(waits) // 2] < 0.05
    assert max(waits) < 1.0
    engine.dispose()


def test_the_recorder_and_a_clear_at_once_leave_the_counters_right(engine: Engine) -> None:
    def record() -> None:
        for n in range(60):
            remember(engine, *life(f"t{n % 20}"), *life(f"u{n}"))

    recorder = threading.Thread(target=record)
    recorder.start()
    while recorder.is_alive():
        clear(engine, states=["SUCCESS"], cutoff=LATER)
    recorder.join()

    assert set(recorded(engine)) <= {"SUCCESS"}
