"""Many rows looked at a portion at a time: PostgreSQL ends a statement that takes longer than a few seconds.

It would also count many rows with all processors at once, and keep whoever writes meanwhile waiting for one.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection, func, select

from knowledge_base_agent.records.hidden import Span
from knowledge_base_agent.records.tables import TASKS

_PORTION: Final = 50_000
"""Rows that PostgreSQL counts within some milliseconds."""
_MOMENT: Final = timedelta(microseconds=1)


def portions(connection: Connection, state: str, span: Span) -> Iterator[tuple[Span, int]]:
    """Yield times within the span, one after the other, each with its number of rows of the state: not very many.

    They belong together in `reading_one_moment`, or where nobody else writes `tasks`. On SQLite it is one portion: no
    statement there has a deadline, and a reader holds nobody up.
    """
    if connection.dialect.name != "postgresql":
        yield span, _rows(connection, state, span)
        return
    rest = span
    while (edge := _edge(connection, state, rest)) is not None:
        # Very many rows of the same microsecond go together: there must be an end.
        end = edge if edge != rest.since else edge + _MOMENT
        portion = Span(since=rest.since, until=end)
        yield portion, _rows(connection, state, portion)
        rest = Span(since=end, until=span.until)
    yield rest, _rows(connection, state, rest)


def rows_in(connection: Connection, state: str, span: Span, *, most: int | None = None) -> int:
    """Return how many rows of the state are in the span; with `most`, a number beyond that says only that it is."""
    total = 0
    for _, number in portions(connection, state, span):
        total += number
        if most is not None and total > most:
            break
    return total


def _edge(connection: Connection, state: str, span: Span) -> datetime | None:
    """Return the time of the first row that does not belong to the first portion; None when all do."""
    at = TASKS.c.updated_at
    query = select(at).where(TASKS.c.state == state, span.condition()).order_by(at)
    found: datetime | None = connection.scalar(query.offset(_PORTION).limit(1))
    return found


def _rows(connection: Connection, state: str, span: Span) -> int:
    query = select(func.count()).select_from(TASKS)
    return int(connection.scalar(query.where(TASKS.c.state == state, span.condition())) or 0)
