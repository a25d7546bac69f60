"""Many rows looked at a portion at a time: PostgreSQL ends a statement that takes longer than a few seconds.

It would also count many rows with all processors at once, and keep whoever writes meanwhile waiting for one.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import cycle
from typing import Final

from msgspec import Struct
from sqlalchemy import Connection, func, select

from knowledge_base_agent.records.hidden import Span
from knowledge_base_agent.records.tables import TASK_COUNTS, TASKS

_PORTION: Final = 250_000
"""Rows that PostgreSQL counts within a twentieth of a second."""
_TURN: Final = 5_000
"""Rows of one side of a moment that are counted before as many of the other."""
_MOMENT: Final = timedelta(microseconds=1)


class Side(Struct, frozen=True, kw_only=True):
    """The rows of a state on one side of a moment (aware UTC): those before it, or those from it on."""

    state: str
    moment: datetime
    before: bool

    @property
    def span(self) -> Span:
        """The time of its rows."""
        return Span(until=self.moment) if self.before else Span(since=self.moment)

    def rows_before(self, connection: Connection, mine: int | None = None) -> int:
        """Return how many rows there are before the moment: those of this side (`mine`) are counted, no others.

        The counter has the rest. Only where nothing of the state is hidden, and as `portions` asks for.
        """
        number = rows_in(connection, self.state, self.span) if mine is None else mine
        if self.before:
            return number
        kept = _kept(connection, self.state)
        if kept < number:  # untrue: somebody has added rows past the recorder
            return rows_in(connection, self.state, Span(until=self.moment))
        return kept - number


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


def rows_in(connection: Connection, state: str, span: Span) -> int:
    """Return how many rows of the state are in the span. Asks for the same as `portions`."""
    return sum(number for _, number in portions(connection, state, span))


def smaller_side(connection: Connection, state: str, moment: datetime) -> tuple[Side, int]:
    """Return the side of the moment that has fewer rows, and how many: of the other not many more are looked at.

    Of a history most is on one side: what is older than a day, or what is not. Asks for the same as `portions`.
    """
    sides = [Side(state=state, moment=moment, before=before) for before in (False, True)]
    each = [portions(connection, state, side.span, rows=_TURN) for side in sides]
    counted = [0, 0]
    for turn in cycle((0, 1)):
        more = next(each[turn], None)
        if more is None:
            return sides[turn], counted[turn]
        counted[turn] += more[1]
    raise AssertionError("one side has an end")


def _kept(connection: Connection, state: str) -> int:
    return connection.scalar(select(TASK_COUNTS.c.tasks).where(TASK_COUNTS.c.state == state)) or 0


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
