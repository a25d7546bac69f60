"""Many rows looked at a portion at a time: PostgreSQL ends a statement that takes longer than a few seconds.

It would also count many rows with all processors at once, and keep whoever writes meanwhile waiting for one.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection, func, select

from knowledge_base_agent.records.hidden import Span
from knowledge_base_agent.records.tables import TASKS

_PORTION: Final = 250_000
"""Rows that PostgreSQL counts within a twentieth of a second."""
_MOMENT: Final = timedelta(microseconds=1)


def portions(
    connection: Connection, state: str, span: Span, *, rows: int | None = None
) -> Iterator[tuple[Span, int]]:
    """Yield times within the span, one after the other, each with its number of rows of the state: not very many.

    They belong together in `reading_one_moment`, or where nobody else writes `tasks`. On SQLite it is one portion: no
    statement there has a deadline, and a reader holds nobody up. With `rows` each has about so many, there too.
    """
    if rows is None and connection.dialect.name != "postgresql":
        yield span, _rows(connection, state, span)
        return
    rest, most = span, rows or _PORTION
    while True:
        number, last = _next(connection, state, rest, most)
        if number <= most:
            yield rest, number
            return
        # Very many rows of the same microsecond go together: there must be an end.
        end = last if last != rest.since else last + _MOMENT
        portion = Span(since=rest.since, until=end)
        alike = _rows(connection, state, Span(since=last, until=last + _MOMENT))
        yield portion, most if alike == 1 else _rows(connection, state, portion)
        rest = Span(since=end, until=span.until)


def rows_in(connection: Connection, state: str, span: Span, *, most: int | None = None) -> int:
    """Return how many rows of the state are in the span; with `most`, a number beyond that says only that it is."""
    total = 0
    for _, number in portions(connection, state, span):
        total += number
        if most is not None and total > most:
            break
    return total


def _next(connection: Connection, state: str, span: Span, most: int) -> tuple[int, datetime]:
    """Return how many rows the next portion has, and one more if there is one, and the time of the last of them."""
    at = TASKS.c.updated_at
    rows = select(at).where(TASKS.c.state == state, span.condition()).order_by(at)
    few = rows.limit(most + 1).subquery()
    number, last = connection.execute(select(func.count(), func.max(few.c.updated_at))).one()
    return number, last


def _rows(connection: Connection, state: str, span: Span) -> int:
    query = select(func.count()).select_from(TASKS)
    return int(connection.scalar(query.where(TASKS.c.state == state, span.condition())) or 0)
