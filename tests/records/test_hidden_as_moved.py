"""Rows that a clear hides are as good as moved away: after any entries, clears, undos and ends of their time."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, select

from knowledge_base_agent.records import states
from knowledge_base_agent.records.batches import write_entries
from knowledge_base_agent.records.cleared import bring_rows_back, cleared, free_rows
from knowledge_base_agent.records.clearing import clear, clear_candidates, how_many_to_clear
from knowledge_base_agent.records.database import open_engine, reading, writing
from knowledge_base_agent.records.hidden import shown
from knowledge_base_agent.records.migrate import migrate
from knowledge_base_agent.records.stream import Entry
from knowledge_base_agent.records.tables import TASKS
from knowledge_base_agent.records.task_filter import TaskFilter
from knowledge_base_agent.records.task_history import latest, oldest, rows_by_ids, unfinished
from knowledge_base_agent.records.task_search import (
    eldest,
    failure_groups,
    how_many,
    newest,
)
from tests.records.entries import entry, recorded
from tests.records.hidden import LATER, NOON_UTC, hides_as_it_says
from tests.records.test_counters import empty, told

CHOSEN = TaskFilter(name="*")
"""All rows, in words that make a clear move them."""
KEEPSAKES = ("k0", "k1", "k2")


@dataclass(frozen=True)
class Clear:
    """One clear; `kept` is its keepsake, None where it is for good."""

    kept: str | None
    states: list[str]
    seconds: int
    chosen: bool = False
    """Whether it moves rows in both histories."""


@dataclass(frozen=True)
class Undo:
    kept: str


@dataclass(frozen=True)
class Free:
    kept: str


Step = list[Entry] | Clear | Undo | Free
kept = st.sampled_from(KEEPSAKES)
few_states = st.lists(st.sampled_from(states.STATES), min_size=1)
steps = st.lists(
    st.one_of(
        st.lists(told, min_size=1, max_size=20),
        st.builds(
            Clear,
            st.one_of(kept, kept, st.none()),
            few_states,
            st.integers(0, 7_200),
            st.booleans(),
        ),
        st.builds(Undo, kept),
        st.builds(Free, kept),
    ),
    max_size=14,
)


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """A second history, in which each clear moves rows."""
    url = f"sqlite:///{tmp_path_factory.mktemp('other') / 'kb.sqlite3'}"
    migrate(url)
    opened = open_engine(url)
    yield opened
    opened.dispose()


def take(engine: Engine, step: Step, wanted: TaskFilter) -> None:
    """Take one step; a clear that keeps rows hides or moves them, by `wanted`."""
    match step:
        case Clear(kept=kept):
            cutoff = NOON_UTC + timedelta(seconds=step.seconds)
            only = CHOSEN if step.chosen else wanted
            clear(engine, states=step.states, cutoff=cutoff, wanted=only, aside=kept)
        case Undo(kept=kept):
            list(bring_rows_back(engine, kept))
        case Free(kept=kept):
            list(free_rows(engine, kept))
        case _:
            with writing(engine) as connection:
                write_entries(connection, step)


def seen(engine: Engine) -> dict[str, Any]:
    """Return what can be seen of a history, the counters being true, and what each keepsake would bring back."""
    recorded(engine)
    with reading(engine) as connection:
        rows = list(connection.execute(select(TASKS).where(shown(connection)).order_by(TASKS.c.id)))
        every = TaskFilter()
        found = {
            "rows": [tuple(row) for row in rows],
            "by id": len(rows_by_ids(connection, [f"task-{n}" for n in range(9)])),
            "number": how_many(connection, every, at_most=100),
            "eldest": [one.updated_at for one in eldest(connection, every, limit=5)],
            "newest": [one.updated_at for one in newest(connection, every, limit=5)],
            "latest": [one.updated_at for one in latest(connection, states=states.STATES, limit=5)],
            "oldest": [
                one.updated_at for one in oldest(connection, states=states.STATES, before=LATER)
            ],
            "unfinished": {one.id for one in unfinished(connection, started_before=LATER)},
            "failures": [
                (one.count, one.first, one.last)
                for one in failure_groups(connection, TaskFilter(states=("FAILURE",)), limit=9)
            ],
            "to clear": clear_candidates(connection, states.STATES, LATER).by_state,
            "to clear in all": how_many_to_clear(connection, states.STATES, LATER),
        }
    return found | {one: cleared(engine, one) for one in KEEPSAKES}


LATE = [entry(states.SUCCESS, "task-1", at=10)]
OTHERS = [entry(states.SUCCESS, "task-8", at=1)]
ENDED = [entry(states.SUCCESS, f"task-{n}", at=n) for n in range(5)]


@settings(
    max_examples=20,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(steps)
@example([ENDED, Clear("k0", ["SUCCESS"], 60), LATE, Undo("k0")])
@example(
    [
        ENDED,
        Clear("k0", ["SUCCESS"], 60),
        LATE,
        Clear("k1", ["SUCCESS"], 90),
        Undo("k0"),
        Undo("k1"),
    ]
)
@example(
    [ENDED, Clear("k0", ["SUCCESS"], 3), Clear("k1", ["SUCCESS"], 60), Undo("k0"), LATE, Undo("k1")]
)
@example([ENDED, Clear("k0", ["SUCCESS"], 60), LATE, Clear(None, ["SUCCESS"], 60), Free("k0")])
@example(
    [ENDED, Clear("k0", ["SUCCESS"], 60, True), OTHERS, Clear("k1", ["SUCCESS"], 60), Undo("k0")]
)
@example(
    [
        ENDED,
        Clear("k0", ["SUCCESS"], 60, True),
        ENDED,
        Clear("k1", ["SUCCESS"], 60),
        Undo("k0"),
        Undo("k1"),
    ]
)
def test_hidden_rows_are_as_good_as_moved_ones(
    engine: Engine, other: Engine, taken: list[Step]
) -> None:
    empty(engine)
    empty(other)
    for step in taken:
        take(engine, step, TaskFilter())
        take(other, step, CHOSEN)
        assert recorded(engine) == recorded(other)
        hides_as_it_says(engine)
    assert seen(engine) == seen(other)
