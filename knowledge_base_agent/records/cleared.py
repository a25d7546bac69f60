"""Cleared rows on their way back into the history, or out of it for good, in transactions that change the counters.

Most were hidden and are only shown again; those that a filter chose, or whose task was written anew, were moved.
What was kept of their messages stays where it is until the rows are freed, so that a task that is back can be retried.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Final, TypeVar

from sqlalchemy import ColumnElement, Connection, Engine, Executable, delete, func, select

from knowledge_base_agent.records.batches import change_counts
from knowledge_base_agent.records.clear_steps import Removal, steps
from knowledge_base_agent.records.cleared_tables import CLEARED_TASKS
from knowledge_base_agent.records.database import reading, writing
from knowledge_base_agent.records.deadlocks import tried_again
from knowledge_base_agent.records.hidden import Row, locked_clearings, shown, spare, uncover
from knowledge_base_agent.records.hiding import (
    end,
    forget_spared,
    hidden_of,
    how_many_hidden,
    show_again,
)
from knowledge_base_agent.records.moving_out import NAMES
from knowledge_base_agent.records.tables import RECORDER_STATE, TASKS
from knowledge_base_agent.records.task_messages import forget_messages
from knowledge_base_agent.records.task_retries import forget_retries
from knowledge_base_agent.records.upserts import among as among_ids
from knowledge_base_agent.records.upserts import insert_into

_STEP: Final = {"sqlite": 500, "postgresql": 5_000}
_LOCK_SHARE: Final = {"sqlite": 0.3, "postgresql": 1.0}
T = TypeVar("T")
_Step = Callable[[Connection, ColumnElement[bool], int], T]
_PLACE: Final = (TASKS.c.id, TASKS.c.state, TASKS.c.updated_at)


@dataclass(frozen=True, kw_only=True)
class Returned:
    """Rows that are back, and rows that are not because there is one of the same task again."""

    back: int
    again: int


def cleared(engine: Engine, keepsake_id: str) -> Returned:
    """Return how many rows would come back at this moment. Raises `Away`."""
    table = CLEARED_TASKS.c
    with reading(engine) as connection:
        there = (TASKS.c.id == table.id) & shown(connection)
        query = select(func.count(table.number), func.count(TASKS.c.id)).select_from(
            CLEARED_TASKS.outerjoin(TASKS, there)
        )
        every, again = connection.execute(query.where(table.keepsake_id == keepsake_id)).one()
        hidden = how_many_hidden(connection, keepsake_id)
    return Returned(back=hidden + every - again, again=again)


def bring_rows_back(engine: Engine, keepsake_id: str) -> Iterator[Returned]:
    """Bring rows back, and yield after each short step how many came with it. Raises `Away`.

    May be called again after it broke off at any point.
    """
    for hidden in show_again(engine, keepsake_id):
        yield Returned(back=hidden, again=0)
    yield from _steps(engine, keepsake_id, _bring_back)


def _bring_back(connection: Connection, among: ColumnElement[bool], length: int) -> Returned:
    _wait_for_recorder(connection)
    back = _put_back(connection, among)
    if len(back) == length:
        connection.execute(delete(CLEARED_TASKS).where(among))
    else:
        came = among_ids(connection, CLEARED_TASKS.c.id, [one for one, *_ in back])
        connection.execute(delete(CLEARED_TASKS).where(among, came))
    change_counts(connection, Counter(state for _, state, _ in back))
    return Returned(back=len(back), again=length - len(back))


def _put_back(connection: Connection, among: ColumnElement[bool]) -> list[Row]:
    """Insert rows that are aside where there is none of their task, and return them."""
    active = locked_clearings(connection)
    if active:
        mine = TASKS.c.id.in_(select(CLEARED_TASKS.c.id).where(among))
        uncover(connection, active, _rows(connection, select(*_PLACE).where(mine)))
    # Where a task was cleared twice, its last row counts.
    rows = select(*(CLEARED_TASKS.c[name] for name in NAMES)).where(among)
    rows = rows.order_by(CLEARED_TASKS.c.number.desc())
    into = insert_into(connection, TASKS)
    put = into.from_select(list(NAMES), rows).on_conflict_do_nothing(index_elements=["id"])
    back = _rows(connection, put.returning(*_PLACE))
    spare(connection, active, back)
    return back


def _rows(connection: Connection, query: Executable) -> list[Row]:
    return [(task_id, state, at) for task_id, state, at in connection.execute(query)]


def free_rows(engine: Engine, keepsake_id: str) -> Iterator[None]:
    """Remove rows that are hidden or aside, and what was kept of the messages of tasks that have no row.

    Yields after each short step, when no transaction is open. May be called again after it broke off at any point.
    Raises `Away`.
    """
    with reading(engine) as connection:
        mine = hidden_of(connection, keepsake_id)
    for one in mine:
        with steps(
            engine, Removal(state=one.state, cutoff=one.until, ids=False, hidden=one)
        ) as each:
            for _ in each:
                yield
        end(engine, one)
    yield from forget_spared(engine)
    # After these: until then the recorder moves hidden rows aside, whose tasks are written anew.
    yield from _steps(engine, keepsake_id, _forget)


def _forget(connection: Connection, among: ColumnElement[bool], _length: int) -> None:
    there = select(TASKS.c.id).where(TASKS.c.id == CLEARED_TASKS.c.id).exists()
    ids = list(connection.scalars(select(CLEARED_TASKS.c.id).where(among, ~there)))
    forget_messages(connection, ids)
    forget_retries(connection, ids)
    connection.execute(delete(CLEARED_TASKS).where(among))


def _steps(engine: Engine, keepsake_id: str, step: _Step[T]) -> Iterator[T]:
    """Do a step with each range of the rows that are aside, and yield what it returns, leaving others time between.

    A step is a transaction; it is given the range and the number of its rows.
    """
    table, dialect = CLEARED_TASKS.c, engine.dialect.name
    ours, last = table.keepsake_id == keepsake_id, 0
    while True:
        query = select(table.number).where(ours, table.number > last).order_by(table.number)
        with reading(engine) as connection:
            numbers = list(connection.scalars(query.limit(_STEP[dialect])))
        if not numbers:
            return
        among = ours & table.number.between(numbers[0], numbers[-1])
        done, took = tried_again(partial(_timed, engine, step, among, len(numbers)))
        yield done
        last = numbers[-1]
        time.sleep(took * (1 / _LOCK_SHARE[dialect] - 1))


def _timed(
    engine: Engine, step: _Step[T], among: ColumnElement[bool], length: int
) -> tuple[T, float]:
    with writing(engine) as connection:
        began = time.monotonic()  # from here on: waiting for SQLite's lock keeps no one else out
        done = step(connection, among, length)
    return done, time.monotonic() - began


def _wait_for_recorder(connection: Connection) -> None:
    """Write after or before a whole batch of the recorder: it must not miss a row that comes while it writes one.

    SQLite has one writer anyway.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(select(RECORDER_STATE.c.id).with_for_update())
