"""Hiding the rows that a clear takes, and showing them again.

Both cost the same at any number of rows, but for one count. Who writes `tasks` waits for it, so what is counted is the
smaller part of the rows, those before the cutoff or those since: the counter has the rest.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import partial
from typing import Final

from sqlalchemy import (
    Connection,
    Engine,
    Executable,
    delete,
    exists,
    func,
    insert,
    or_,
    select,
    tuple_,
)

from knowledge_base_agent.records.batches import change_counts
from knowledge_base_agent.records.database import reading, reading_one_moment, writing
from knowledge_base_agent.records.deadlocks import tried_again
from knowledge_base_agent.records.hidden import Clearing, Span, clearings, gaps, locked_clearings
from knowledge_base_agent.records.hidden_tables import CLEARINGS, SPARED_TASKS
from knowledge_base_agent.records.portions import Side, rows_in, smaller_side
from knowledge_base_agent.records.tables import TASKS

_MOST: Final = 8
"""Ranges of one state: each is a part of what everybody asks."""
_AT_ONCE: Final = 2_000
_MARKS_AT_ONCE: Final = 500


def hide(
    engine: Engine, *, state: str, cutoff: datetime, keepsake_id: str
) -> tuple[int, tuple[Clearing, ...]]:
    """Hide the rows of a state from before the cutoff (aware UTC), and return how many, and by what.

    Rows stay that were written within a range that is hidden already, and all where there are too many ranges. Raises
    `Away` when the database can't be written.
    """
    smaller = _smaller(engine, state, cutoff)
    made: list[Clearing] = []
    total = 0
    with writing(engine) as connection:
        active = locked_clearings(connection, alone=True)
        ranges = sum(one.state == state for one in active)
        for span in gaps(active, state, cutoff) if ranges < _MOST else ():
            whole = smaller if not ranges else None
            many = whole.rows_before(connection) if whole else rows_in(connection, state, span)
            if many:
                made.append(_make(connection, state, span, keepsake_id, many))
                total += many
        change_counts(connection, Counter({state: -total}))
    return total, tuple(made)


def _smaller(engine: Engine, state: str, cutoff: datetime) -> Side | None:
    """Find out without a lock on which side of the cutoff there is less to count; None where both are not all."""
    with reading_one_moment(engine) as connection:
        if connection.scalar(select(exists().where(CLEARINGS.c.state == state))):
            return None  # the counter does not have all of these rows
        return smaller_side(connection, state, cutoff)[0]


def _make(connection: Connection, state: str, span: Span, keepsake_id: str, hides: int) -> Clearing:
    table = CLEARINGS.c
    values = {
        "keepsake_id": keepsake_id, "state": state, "since": span.since, "until": span.until, "hides": hides,
    }  # fmt: skip
    made = insert(CLEARINGS).values(values)
    columns = (table.number, table.keepsake_id, table.state, table.since, table.until)
    row = connection.execute(made.returning(*columns)).mappings().one()
    return Clearing(**row, sparing=False)


def hidden_ids(engine: Engine, clearing: Clearing) -> Iterator[list[str]]:
    """Yield the ids of the rows that are hidden by it, some thousand at a time. Raises `Away`."""
    at, task_id = TASKS.c.updated_at, TASKS.c.id
    query = select(at, task_id).where(clearing.hidden).order_by(at, task_id).limit(_AT_ONCE)
    after = query
    while True:
        with reading(engine) as connection:
            rows = connection.execute(after).all()
        if not rows:
            return
        yield [row[1] for row in rows]
        last, last_id = rows[-1]
        after = query.where(at >= last, or_(at > last, task_id > last_id))


def hidden_of(connection: Connection, keepsake_id: str) -> tuple[Clearing, ...]:
    """Return what is hidden under a keepsake."""
    return tuple(one for one in clearings(connection) if one.keepsake_id == keepsake_id)


def how_many_hidden(connection: Connection, keepsake_id: str) -> int:
    """Return how many rows are hidden under a keepsake, from the kept figures."""
    query = select(func.sum(CLEARINGS.c.hides)).where(CLEARINGS.c.keepsake_id == keepsake_id)
    return int(connection.scalar(query) or 0)


def how_many_hidden_by(connection: Connection, ranges: Sequence[Clearing]) -> int:
    """Return how many rows these hide, from the kept figures."""
    mine = CLEARINGS.c.number.in_([one.number for one in ranges])
    return int(connection.scalar(select(func.sum(CLEARINGS.c.hides)).where(mine)) or 0)


def show_again(engine: Engine, keepsake_id: str) -> Iterator[int]:
    """Show what is hidden under a keepsake, and yield after each range how many rows it was. Raises `Away`."""
    with reading(engine) as connection:
        mine = hidden_of(connection, keepsake_id)
    for one in mine:
        hides = end(engine, one)
        if hides:
            yield hides
    for _ in forget_spared(engine):
        pass


def end(engine: Engine, clearing: Clearing) -> int:
    """End the hiding by a range: whatever is still in it is seen, and counted. Return how many rows. Raises `Away`."""
    table = CLEARINGS.c
    with writing(engine) as connection:
        locked_clearings(connection, alone=True)
        mine = table.number == clearing.number
        hides = connection.scalar(delete(CLEARINGS).where(mine).returning(table.hides)) or 0
        change_counts(connection, Counter({clearing.state: hides}))
    return hides


def forget_spared(engine: Engine) -> Iterator[None]:
    """Remove the marks of what was spared by ranges that are no more, and yield after each short step. `Away`."""
    table = SPARED_TASKS.c
    over = table.clearing.not_in(select(CLEARINGS.c.number))
    place = tuple_(table.clearing, table.id)
    last = (0, "")
    while True:
        # From the last one on: PostgreSQL would pass all that has gone before once more in each step.
        rest = select(table.clearing, table.id).where(over, place > last)
        rest = rest.order_by(table.clearing, table.id).limit(_MARKS_AT_ONCE)
        with reading(engine) as connection:
            few = [(row[0], row[1]) for row in connection.execute(rest)]
        if not few:
            return
        step = delete(SPARED_TASKS).where(over, place > last, place <= few[-1])
        tried_again(partial(_execute, engine, step))
        yield
        last = few[-1]


def _execute(engine: Engine, statement: Executable) -> None:
    with writing(engine) as connection:
        connection.execute(statement)
