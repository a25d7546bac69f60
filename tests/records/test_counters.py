"""The kept counters always equal a count of the rows: after any entries, any clears, and a batch that failed."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, delete, select

from knowledge_base_agent.records import states
from knowledge_base_agent.records.batches import write_entries
from knowledge_base_agent.records.cleared_tables import CLEARED_TASKS
from knowledge_base_agent.records.clearing import clear
from knowledge_base_agent.records.database import reading, writing
from knowledge_base_agent.records.hidden_tables import CLEARINGS, SPARED_TASKS
from knowledge_base_agent.records.stream import Entry
from knowledge_base_agent.records.tables import TASK_COUNTS, TASK_HOURS, TASKS
from knowledge_base_agent.records.task_history import counts, last_24_hours
from tests.records.entries import NOON, entry, life, recorded

_NOON = datetime.fromtimestamp(NOON / 1_000_000, UTC)

told = st.builds(
    entry,
    st.sampled_from(states.STATES),
    st.integers(0, 8).map("task-{}".format),
    at=st.integers(0, 7_200),
    retries=st.integers(0, 2),
    redelivered=st.booleans(),
)
batches = st.lists(
    st.one_of(
        st.lists(told, max_size=20),
        st.tuples(st.lists(st.sampled_from(states.STATES)), st.integers(0, 7_200)),
    ),
    max_size=8,
)


def empty(engine: Engine) -> None:
    with writing(engine) as connection:
        for table in (TASKS, TASK_COUNTS, TASK_HOURS, CLEARED_TASKS, CLEARINGS, SPARED_TASKS):
            connection.execute(delete(table))


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(batches)
def test_after_any_entries_and_clears_the_counters_equal_a_count_of_the_rows(
    engine: Engine, steps: list[list[Entry] | tuple[list[str], int]]
) -> None:
    empty(engine)
    for step in steps:
        if isinstance(step, tuple):
            clear(engine, states=step[0], cutoff=_NOON + timedelta(seconds=step[1]))
        else:
            with writing(engine) as connection:
                write_entries(connection, step)

    recorded(engine)


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.lists(st.lists(told, max_size=20), max_size=6))
def test_the_hours_of_the_chart_equal_a_count_of_the_rows_that_ended_in_them(
    engine: Engine, steps: list[list[Entry]]
) -> None:
    empty(engine)
    for step in steps:
        with writing(engine) as connection:
            write_entries(connection, step)

    with reading(engine) as connection:
        kept = {
            (h.hour, state): n
            for h in last_24_hours(connection, now=_NOON + timedelta(hours=3))
            for state, n in h.by_state.items()
        }
        rows: list[Any] = list(connection.execute(select(TASKS.c.finished_at, TASKS.c.state)))
    expected: dict[tuple[datetime, str], int] = {}
    for finished_at, state in rows:
        if finished_at is not None:
            hour = finished_at.replace(minute=0, second=0, microsecond=0)
            expected[hour, state] = expected.get((hour, state), 0) + 1
    assert kept == expected


def test_a_batch_that_fails_changes_neither_rows_nor_counters(engine: Engine) -> None:
    def die() -> None:
        with writing(engine) as connection:
            write_entries(connection, life())
            raise RuntimeError("the process dies here")

    with pytest.raises(RuntimeError):
        die()

    assert recorded(engine) == {}


def test_counting_looks_at_the_counters_and_not_at_the_rows(engine: Engine) -> None:
    with writing(engine) as connection:
        write_entries(connection, life())
        connection.execute(delete(TASKS))

    with reading(engine) as connection:
        assert counts(connection) == {"SUCCESS": 1}
