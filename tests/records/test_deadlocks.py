"""Who loses a deadlock on PostgreSQL is tried again: neither an undo nor the daily freeing ends in the middle."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import pytest
from sqlalchemy import Connection, Engine, Table, insert, select, text

from knowledge_base_agent.records.cleared import bring_rows_back, free_rows
from knowledge_base_agent.records.cleared_tables import CLEARED_TASKS
from knowledge_base_agent.records.clearing import clear
from knowledge_base_agent.records.database import open_engine, writing
from knowledge_base_agent.records.hidden_tables import SPARED_TASKS
from knowledge_base_agent.records.hiding import forget_spared
from knowledge_base_agent.records.tables import TASKS
from knowledge_base_agent.records.task_filter import TaskFilter
from tests.records.entries import life, recorded
from tests.records.hidden import LATER, aside, hidden
from tests.records.test_clearing import remember
from tests.waiting import wait_until

_ONE_BY_ONE: Final = TaskFilter(name="*")
Loses = Callable[[Table, Callable[[], object]], None]


@pytest.fixture
def engine(postgres_url: str) -> Iterator[Engine]:
    """PostgreSQL alone: SQLite has one writer."""
    opened = open_engine(postgres_url)
    yield opened
    opened.dispose()


@pytest.fixture
def loses(postgres_url: str) -> Iterator[Loses]:
    """What lets work lose a deadlock about the rows `t-0` and `t-1` of a table, which it takes in this order."""
    opened = open_engine(postgres_url, deadline=30)
    with opened.connect() as other:
        yield lambda table, work: _loses(other, table, work)
    opened.dispose()


def _loses(other: Connection, table: Table, work: Callable[[], object]) -> None:
    row = select(table.c.id).with_for_update()
    # It waits for longer than the work, whose server process thus finds out and gives way.
    other.execute(text("SET LOCAL deadlock_timeout = '30s'"))
    assert other.execute(row.where(table.c.id == "t-1")).all() == [("t-1",)]
    blocked = text(
        "SELECT count(*) FROM pg_stat_activity WHERE pg_backend_pid() = ANY(pg_blocking_pids(pid))"
    )
    with ThreadPoolExecutor(1) as pool:
        working = pool.submit(work)
        wait_until(lambda: other.scalar(blocked) == 1, what="it waits for t-1")
        skipped = row.with_for_update(skip_locked=True)
        assert other.execute(skipped.where(table.c.id == "t-0")).all() == [], "it has t-0"
        assert other.execute(row.where(table.c.id == "t-0")).all() == [("t-0",)], "it gave way"
        other.rollback()
        working.result()


def test_an_undo_beside_the_freeing_of_another_brings_all_back(
    engine: Engine, loses: Loses
) -> None:
    remember(engine, *life("t-0"), *life("t-1"))
    clear(engine, states=["SUCCESS"], cutoff=LATER, wanted=_ONE_BY_ONE, aside="k9")
    hidden(engine, 2)  # the same tasks again: k0 has their later rows

    loses(TASKS, lambda: list(bring_rows_back(engine, "k9")))

    assert recorded(engine) == {"SUCCESS": 2}
    assert aside(engine) == 2


def test_a_freeing_beside_an_undo_frees_all(engine: Engine, loses: Loses) -> None:
    remember(engine, *life("t-0"), *life("t-1"))
    clear(engine, states=["SUCCESS"], cutoff=LATER, wanted=_ONE_BY_ONE, aside="k0")

    loses(CLEARED_TASKS, lambda: list(free_rows(engine, "k0")))

    assert aside(engine) == 0


def test_marks_that_two_forget_at_once_are_forgotten(engine: Engine, loses: Loses) -> None:
    with writing(engine) as connection:
        connection.execute(insert(SPARED_TASKS), [{"clearing": 9, "id": f"t-{n}"} for n in (0, 1)])

    loses(SPARED_TASKS, lambda: list(forget_spared(engine)))

    assert aside(engine, SPARED_TASKS) == 0
