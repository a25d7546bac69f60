"""Cleared rows on their way out of the history and back: moved in the transaction that changes the counters.

What was kept of their messages stays where it is until the rows are freed, so that a task that is back can be retried.
"""

import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Delete,
    Engine,
    Insert,
    delete,
    func,
    insert,
    literal,
    select,
)

from knowledge_base_agent.records.batches import change_counts
from knowledge_base_agent.records.cleared_tables import CLEARED_TASKS
from knowledge_base_agent.records.database import reading, writing
from knowledge_base_agent.records.tables import RECORDER_STATE, TASKS
from knowledge_base_agent.records.task_messages import forget_messages
from knowledge_base_agent.records.task_retries import forget_retries
from knowledge_base_agent.records.upserts import among as among_ids
from knowledge_base_agent.records.upserts import insert_into

_STEP: Final = {"sqlite": 500, "postgresql": 5_000}
_LOCK_SHARE: Final = {"sqlite": 0.3, "postgresql": 1.0}
_NAMES: Final = tuple(column.name for column in TASKS.columns)


@dataclass(frozen=True, kw_only=True)
class Returned:
    """Rows that are back, and rows that are not because there is one of the same task again."""

    back: int
    again: int


def move_out(
    connection: Connection, among: ColumnElement[bool], keepsake_id: str, *, ids: bool
) -> tuple[int, list[str]]:
    """Move rows of `tasks` aside under a keepsake. The counters are the caller's.

    Return how many they were, and with `ids` whose.
    """
    names = ["keepsake_id", *_NAMES]
    gone = delete(TASKS).where(among)
    if connection.dialect.name == "postgresql":
        # One statement: a row that comes between two would be removed and not kept.
        cte = gone.returning(*TASKS.columns).cte("gone")
        rows = select(literal(keepsake_id), *(cte.c[name] for name in _NAMES))
        moved = insert(CLEARED_TASKS).from_select(names, rows).add_cte(cte)
        return _done(connection, moved, CLEARED_TASKS.c.id if ids else None)
    rows = select(literal(keepsake_id), *TASKS.columns).where(among)
    connection.execute(insert(CLEARED_TASKS).from_select(names, rows))
    return _done(connection, gone, TASKS.c.id if ids else None)


def _done(
    connection: Connection, change: Insert | Delete, returned: Column[str] | None
) -> tuple[int, list[str]]:
    if returned is None:
        # Without the option an INSERT is not asked how many rows it wrote.
        counted = connection.execute(change, execution_options={"preserve_rowcount": True})
        return counted.rowcount, []
    found = list(connection.scalars(change.returning(returned)))
    return len(found), found


def cleared(engine: Engine, keepsake_id: str) -> Returned:
    """Return how many rows would come back at this moment. Raises `Away`."""
    table = CLEARED_TASKS.c
    query = select(func.count(table.number), func.count(TASKS.c.id)).select_from(
        CLEARED_TASKS.outerjoin(TASKS, TASKS.c.id == table.id)
    )
    with reading(engine) as connection:
        every, again = connection.execute(query.where(table.keepsake_id == keepsake_id)).one()
    return Returned(back=every - again, again=again)


def bring_rows_back(engine: Engine, keepsake_id: str) -> Iterator[Returned]:
    """Bring rows back, and yield after each short step how many came with it. Raises `Away`.

    May be called again after it broke off at any point.
    """
    for connection, among, length in _steps(engine, keepsake_id):
        _wait_for_recorder(connection)
        # Where a task was cleared twice, its last row counts.
        rows = select(*(CLEARED_TASKS.c[name] for name in _NAMES)).where(among)
        rows = rows.order_by(CLEARED_TASKS.c.number.desc())
        into = insert_into(connection, TASKS)
        put = into.from_select(list(_NAMES), rows).on_conflict_do_nothing(index_elements=["id"])
        back = connection.execute(put.returning(TASKS.c.id, TASKS.c.state)).all()
        if len(back) == length:
            connection.execute(delete(CLEARED_TASKS).where(among))
        else:
            came = among_ids(connection, CLEARED_TASKS.c.id, [one for one, _ in back])
            connection.execute(delete(CLEARED_TASKS).where(among, came))
        change_counts(connection, Counter(state for _, state in back))
        yield Returned(back=len(back), again=length - len(back))


def free_rows(engine: Engine, keepsake_id: str) -> None:
    """Remove rows that are aside, and what was kept of the messages of tasks that have no row. Raises `Away`."""
    for connection, among, _ in _steps(engine, keepsake_id):
        there = select(TASKS.c.id).where(TASKS.c.id == CLEARED_TASKS.c.id).exists()
        ids = list(connection.scalars(select(CLEARED_TASKS.c.id).where(among, ~there)))
        forget_messages(connection, ids)
        forget_retries(connection, ids)
        connection.execute(delete(CLEARED_TASKS).where(among))


def _steps(
    engine: Engine, keepsake_id: str
) -> Iterator[tuple[Connection, ColumnElement[bool], int]]:
    """Yield a transaction and a range of rows that are aside, one after the other, leaving others time between."""
    table, dialect = CLEARED_TASKS.c, engine.dialect.name
    ours, last = table.keepsake_id == keepsake_id, 0
    while True:
        query = select(table.number).where(ours, table.number > last).order_by(table.number)
        with reading(engine) as connection:
            numbers = list(connection.scalars(query.limit(_STEP[dialect])))
        if not numbers:
            return
        with writing(engine) as connection:
            began = time.monotonic()
            yield connection, ours & table.number.between(numbers[0], numbers[-1]), len(numbers)
        last = numbers[-1]
        time.sleep((time.monotonic() - began) * (1 / _LOCK_SHARE[dialect] - 1))


def _wait_for_recorder(connection: Connection) -> None:
    """Write after or before a whole batch of the recorder: it must not miss a row that comes while it writes one.

    SQLite has one writer anyway.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(select(RECORDER_STATE.c.id).with_for_update())
