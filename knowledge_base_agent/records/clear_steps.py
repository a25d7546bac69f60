"""The removal of many rows in steps short enough that no other writer notices.

A step is a range of the index by state and time, so it costs the same wherever it is, and its length follows from how
long the last one took. SQLite has one writer for all: steps hold its lock for 30 % of the time, and what they leave in
the write-ahead log is checkpointed between them, when no lock is held, instead of in some writer's commit.
"""

import contextlib
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Engine, delete, event, select

from knowledge_base_agent.records.batches import change_counts
from knowledge_base_agent.records.database import open_engine, reading, writing
from knowledge_base_agent.records.deadlocks import tried_again
from knowledge_base_agent.records.hidden import (
    Clearing,
    Span,
    clearings,
    gaps,
    hides_fewer,
    locked_clearings,
    shown_beside,
)
from knowledge_base_agent.records.hidden_tables import SPARED_TASKS
from knowledge_base_agent.records.moving_out import move_out
from knowledge_base_agent.records.tables import TASKS
from knowledge_base_agent.records.task_filter import TaskFilter, condition
from knowledge_base_agent.records.task_messages import forget_messages
from knowledge_base_agent.records.task_retries import forget_retries
from knowledge_base_agent.records.upserts import among as among_ids

_FIRST_STEP: Final = 200
_SHORTEST_STEP: Final = 20
_LONGEST_STEP: Final = 20_000
# On PostgreSQL a step keeps out only who wants these very rows, so it takes longer: fewer commits to wait for.
_STEP_SECONDS: Final = {"sqlite": 0.02, "postgresql": 0.1}
_LOCK_SHARE: Final = {"sqlite": 0.3, "postgresql": 1.0}  # PostgreSQL locks only the rows that go
_MOMENT: Final = timedelta(microseconds=1)
EVERY: Final = TaskFilter()


@dataclass(frozen=True, kw_only=True)
class Step:
    """What one step removed. `ids` is empty where nobody asked for them."""

    removed: int
    ids: list[str] = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class Removal:
    """Which rows go: those of a state from before the cutoff (aware UTC), of those `wanted`.

    With `aside` they are moved there instead, under that keepsake. `ids` asks for whose rows they were. With `hidden`
    they are those that this hides, else only rows that are seen.
    """

    state: str
    cutoff: datetime
    wanted: TaskFilter = EVERY
    aside: str | None = None
    ids: bool = True
    hidden: Clearing | None = None


@contextlib.contextmanager
def steps(engine: Engine, meant: Removal) -> Iterator[Iterator[Step]]:
    """Lend the steps that remove these rows; iterating removes. Raises `Away` when the database can't be written."""
    if engine.dialect.name != "sqlite":
        yield _Steps(engine, meant).run()
        return
    own = _without_checkpoints(engine)
    try:
        yield _Steps(own, meant).run()
    finally:
        own.dispose()


def _without_checkpoints(engine: Engine) -> Engine:
    own = open_engine(engine.url.render_as_string(hide_password=False))

    @event.listens_for(own, "connect")
    def _prepare(connection: Any, _record: Any) -> None:
        connection.execute("PRAGMA wal_autocheckpoint=0")
        connection.execute("PRAGMA cache_size=-32000")  # kB

    return own


class _Steps:
    def __init__(self, engine: Engine, meant: Removal) -> None:
        self._engine = engine
        self._meant = meant
        self._state, self._cutoff = meant.state, meant.cutoff
        self._wanted = condition(meant.wanted, engine.dialect.name)
        self._sqlite = engine.dialect.name == "sqlite"
        self._length = _FIRST_STEP
        self._rests_until = 0.0

    def run(self) -> Iterator[Step]:
        hidden = self._meant.hidden
        if hidden is not None:
            yield from self._span(hidden.span)
            return
        with reading(self._engine) as connection:
            mine = [one for one in clearings(connection) if one.state == self._state]
        for span in gaps(mine, self._state, self._cutoff):
            yield from self._span(span)
        for one in mine:
            yield from self._spared(one)

    def _span(self, span: Span) -> Iterator[Step]:
        first = self._edge(span, 0)
        while first is not None:
            rest = Span(since=first, until=span.until)
            end = self._edge(rest, self._length)
            if end is not None:
                # Rows of the same microsecond go together, however many they are: a step must get on.
                end = max(end, first + _MOMENT)
            step = Span(since=first, until=end or span.until)
            yield self._remove((TASKS.c.state == self._state) & step.condition())
            first = end if end is not None and span.has(end) else None

    def _edge(self, span: Span, offset: int) -> datetime | None:
        """Return the time of the row that is `offset` rows after the span's first; None when there is none in it."""
        at = TASKS.c.updated_at
        query = select(at).where(TASKS.c.state == self._state, span.condition())
        with reading(self._engine) as connection:
            found: datetime | None = connection.scalar(query.order_by(at).offset(offset).limit(1))
        return found

    def _spared(self, clearing: Clearing) -> Iterator[Step]:
        """Remove what was written within a range that is hidden already: few rows, whose tasks are known."""
        table, last = SPARED_TASKS.c, ""
        while True:
            query = select(table.id).where(table.clearing == clearing.number, table.id > last)
            with reading(self._engine) as connection:
                ids = list(connection.scalars(query.order_by(table.id).limit(self._length)))
                among = among_ids(connection, TASKS.c.id, ids)
            if not ids:
                return
            yield self._remove(clearing.among(Span(until=self._cutoff)) & among)
            last = ids[-1]

    def _remove(self, among: ColumnElement[bool]) -> Step:
        # What was done with the step before, and the look for this one, belong to the time that others have.
        time.sleep(max(0.0, self._rests_until - time.monotonic()))
        # The recorder, and an undo, lock rows in another order.
        return tried_again(lambda: self._remove_range(among & self._wanted))

    def _remove_range(self, among: ColumnElement[bool]) -> Step:
        hidden = self._meant.hidden
        with writing(self._engine) as connection:
            active = locked_clearings(connection)
            began = time.monotonic()  # from here on: waiting for the lock keeps no one else out
            if hidden is not None and all(one.number != hidden.number for one in active):
                # Another process has freed or shown these: what is still in the range is seen, and counted.
                removed, ids = 0, list[str]()
            elif hidden is not None:
                removed, ids = self._removed(connection, among & hidden.hides)
                hides_fewer(connection, hidden, removed)
            else:
                removed, ids = self._removed(connection, among & shown_beside(active))
                change_counts(connection, Counter({self._state: -removed}))
        self._measured(time.monotonic() - began)
        return Step(removed=removed, ids=ids)

    def _removed(self, connection: Connection, among: ColumnElement[bool]) -> tuple[int, list[str]]:
        if self._meant.aside:
            return move_out(connection, among, self._meant.aside, ids=self._meant.ids)
        ids = list(connection.scalars(delete(TASKS).where(among).returning(TASKS.c.id)))
        forget_messages(connection, ids)
        forget_retries(connection, ids)
        return len(ids), ids

    def _measured(self, took: float) -> None:
        dialect = self._engine.dialect.name
        fitting = self._length * _STEP_SECONDS[dialect] / max(took, 1e-4)
        # One step that a busy machine held up says little about the next: half or double at a time.
        fitting = min(max(fitting, self._length / 2), self._length * 2)
        self._length = int(min(max(fitting, _SHORTEST_STEP), _LONGEST_STEP))
        self._rests_until = time.monotonic() + took * (1 / _LOCK_SHARE[dialect] - 1)

        if self._sqlite:
            self._checkpoint()

    def _checkpoint(self) -> None:
        connection = self._engine.raw_connection()
        try:
            connection.cursor().execute("PRAGMA wal_checkpoint(PASSIVE)")
        finally:
            connection.close()
