"""Which rows of `tasks` nobody sees: cleared ones that can come back, until that time is over.

A clear of a million rows writes one range of one state here (`hiding.py`) and no row. Whoever reads `tasks` says
`shown`, `meant` or `seen_places`; whoever writes it looks at the ranges under their lock, and

- moves a row that is hidden aside before writing one of the same task (`uncover`), and
- notes a task whose row it writes within a range (`spare`), so that this row is seen.

So a row is hidden as long as it is as it was when it was cleared, and by one range at most.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from operator import attrgetter
from typing import Final

from msgspec import Struct
from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    and_,
    exists,
    false,
    not_,
    or_,
    select,
    text,
    true,
    union_all,
    update,
)

from knowledge_base_agent.records.hidden_tables import CLEARINGS, SPARED_TASKS
from knowledge_base_agent.records.moving_out import move_out
from knowledge_base_agent.records.states import STATES
from knowledge_base_agent.records.tables import TASKS
from knowledge_base_agent.records.task_filter import TaskFilter, condition
from knowledge_base_agent.records.upserts import among as among_ids
from knowledge_base_agent.records.upserts import insert_into

_SPARING = (
    exists()
    .where(SPARED_TASKS.c.clearing == CLEARINGS.c.number)
    .correlate(CLEARINGS)
    .label("sparing")
)
Row = tuple[str, str, datetime]
"""A row's id, state and `updated_at` (aware UTC)."""


class Span(Struct, frozen=True, kw_only=True):
    """The time from `since` (included; None: ever) until `until` (not included; None: for ever), aware UTC."""

    since: datetime | None = None
    until: datetime | None = None

    def has(self, at: datetime) -> bool:
        """Tell whether a moment is within."""
        return (self.since is None or at >= self.since) and (self.until is None or at < self.until)

    def within(self, other: "Span") -> "Span | None":
        """Return what both have, as one: of two bounds SQLite's planner may follow the wider. None when it is none."""
        since = max((one for one in (self.since, other.since) if one is not None), default=None)
        until = min((one for one in (self.until, other.until) if one is not None), default=None)
        if since is not None and until is not None and since >= until:
            return None
        return Span(since=since, until=until)

    def condition(self) -> ColumnElement[bool]:
        """Return the condition that a row's state began within."""
        at = TASKS.c.updated_at
        after = at >= self.since if self.since is not None else true()
        return and_(after, at < self.until if self.until is not None else true())


EVER: Final = Span()


class Clearing(Struct, frozen=True, kw_only=True):
    """A range of the rows of a state that are hidden, and the keepsake that they belong to. Times are aware UTC."""

    number: int
    keepsake_id: str
    state: str
    since: datetime | None
    until: datetime
    sparing: bool
    """Whether there were rows in it that are seen: lists ask for these only then."""

    @property
    def span(self) -> Span:
        """The time of its rows."""
        return Span(since=self.since, until=self.until)

    @property
    def hides(self) -> ColumnElement[bool]:
        """The condition that a row in its range is hidden: also while the recorder spares the first."""
        # Not by NOT IN: beyond some 100,000 marks PostgreSQL would go through all of them for each row.
        return not_(self._spared().where(SPARED_TASKS.c.id == TASKS.c.id).correlate(TASKS).exists())

    @property
    def hidden(self) -> ColumnElement[bool]:
        """The condition that a row is hidden by it."""
        return and_(TASKS.c.state == self.state, self.span.condition(), self.hides)

    def spares(self, span: Span) -> ColumnElement[bool]:
        """Return the condition that a row is in its range and in the span, and seen."""
        return and_(self.among(span), TASKS.c.id.in_(self._spared()))

    def among(self, span: Span) -> ColumnElement[bool]:
        """Return the condition that a row is in its range and in the span, for rows that are found by their ids."""
        both = self.span.within(span)
        if both is None:
            return false()
        # Not the bare column: the index by state would lead through all that is hidden.
        return and_(TASKS.c.state.concat("") == self.state, both.condition())

    def _spared(self) -> Select[tuple[str]]:
        return select(SPARED_TASKS.c.id).where(SPARED_TASKS.c.clearing == self.number)


def clearings(connection: Connection) -> tuple[Clearing, ...]:
    """Return what is hidden, as a reader needs it; mostly nothing is."""
    table = CLEARINGS.c
    query = select(table.number, table.keepsake_id, table.state, table.since, table.until, _SPARING)
    rows = connection.execute(query.order_by(table.number)).mappings()
    return tuple(Clearing(**row) for row in rows)


def locked_clearings(connection: Connection, *, alone: bool = False) -> tuple[Clearing, ...]:
    """Return what is hidden, which stays so until the transaction ends: for whoever writes `tasks` and its counters.

    With `alone`, for whoever changes the ranges, also no such writer is about. SQLite has one writer anyway.
    """
    if connection.dialect.name == "postgresql":
        mode = "SHARE ROW EXCLUSIVE" if alone else "ROW EXCLUSIVE"
        connection.execute(text(f"LOCK TABLE clearings IN {mode} MODE"))
    return clearings(connection)


def shown(connection: Connection) -> ColumnElement[bool]:
    """Return the condition that a row of `tasks` is seen."""
    return shown_beside(clearings(connection))


def shown_beside(active: Sequence[Clearing]) -> ColumnElement[bool]:
    """Return the condition that a row is hidden by none of these."""
    return and_(true(), *(not_(one.hidden) for one in active))


def gaps(active: Iterable[Clearing], state: str, before: datetime | None = None) -> list[Span]:
    """Return the times of a state in which nothing is hidden, the first first; with `before`, none from then on."""
    found: list[Span] = []
    since: datetime | None = None
    mine = (one for one in active if one.state == state)
    for one in sorted(mine, key=attrgetter("until")):
        if one.since != since:
            found.append(Span(since=since, until=one.since))
        since = one.until
    found.append(Span(since=since, until=None))
    until = Span(until=before)
    return [cut for gap in found if (cut := gap.within(until)) is not None]


def seen_places(
    active: Sequence[Clearing], state: str, span: Span = EVER
) -> list[ColumnElement[bool]]:
    """Return conditions, of which each seen row of the state in the span fulfils one: most follow the index."""
    mine = [one for one in active if one.state == state]
    found = [both for gap in gaps(mine, state) if (both := gap.within(span)) is not None]
    seen = [and_(TASKS.c.state == state, one.condition()) for one in found]
    return [*seen, *(one.spares(span) for one in mine if one.sparing)]


def seen_parts(
    active: Sequence[Clearing], wanted: TaskFilter, dialect: str
) -> list[ColumnElement[bool]]:
    """Return conditions, of which each seen row that is meant fulfils one: one condition where nothing is hidden."""
    states = wanted.states or STATES
    hiding = {one.state for one in active} & set(states)
    if not hiding:
        return [condition(wanted, dialect)]
    plain = tuple(state for state in states if state not in hiding)
    found = [condition(replace(wanted, states=plain), dialect)] if plain else []
    span = Span(since=wanted.since, until=wanted.until)
    rest = condition(replace(wanted, states=(), since=None, until=None), dialect)
    places = (one for state in sorted(hiding) for one in seen_places(active, state, span))
    return found + [and_(one, rest) for one in places]


def meant(connection: Connection, wanted: TaskFilter) -> ColumnElement[bool]:
    """Return the condition that a row is seen, and meant by the filter."""
    active, dialect = clearings(connection), connection.dialect.name
    parts = seen_parts(active, wanted, dialect)
    if parts and dialect == "postgresql" and any(one.sparing for one in active):
        # No index leads PostgreSQL to an OR with marks in it: it would read the whole table.
        each = (select(TASKS.c.id).where(one).correlate(None) for one in parts)
        return TASKS.c.id.in_(union_all(*each))
    return or_(false(), *parts)


def uncover(connection: Connection, active: Sequence[Clearing], rows: Iterable[Row]) -> set[str]:
    """Move those of these rows aside that are hidden, and return whose they were: their tasks are written anew.

    They come back with what they were hidden with, unless there is a row of the same task then. Counters stay.
    """
    moved: set[str] = set()
    for one, ids in _within(active, rows):
        marks = select(SPARED_TASKS.c.id).where(SPARED_TASKS.c.clearing == one.number)
        seen = set(connection.scalars(marks.where(among_ids(connection, SPARED_TASKS.c.id, ids))))
        hidden = [each for each in ids if each not in seen]
        if hidden:
            among = among_ids(connection, TASKS.c.id, hidden)
            # On PostgreSQL some may have been freed since the caller looked: count what goes now.
            number, _ = move_out(connection, among, one.keepsake_id, ids=False)
            hides_fewer(connection, one, number)
            moved |= set(hidden)
    return moved


def spare(connection: Connection, active: Sequence[Clearing], rows: Iterable[Row]) -> None:
    """Let these rows be seen, which have just been written."""
    for one, ids in _within(active, rows):
        marks = [{"clearing": one.number, "id": each} for each in ids]
        connection.execute(insert_into(connection, SPARED_TASKS).on_conflict_do_nothing(), marks)


def hides_fewer(connection: Connection, clearing: Clearing, number: int) -> None:
    """Note that so many rows that were hidden are gone from `tasks`."""
    mine = CLEARINGS.c.number == clearing.number
    connection.execute(update(CLEARINGS).where(mine).values(hides=CLEARINGS.c.hides - number))


def _within(
    active: Sequence[Clearing], rows: Iterable[Row]
) -> Iterator[tuple[Clearing, list[str]]]:
    if not active:
        return
    found: dict[Clearing, list[str]] = {}
    of_state: dict[str, list[Clearing]] = {}
    for one in active:
        of_state.setdefault(one.state, []).append(one)
    for task_id, state, at in rows:
        for one in of_state.get(state, ()):
            if one.span.has(at):
                found.setdefault(one, []).append(task_id)
    yield from found.items()
