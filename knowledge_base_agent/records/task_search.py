"""Finding rows by a filter, under a deadline that also SQLite keeps: most filters have no index to help them."""

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, Engine, func, select, text

from knowledge_base_agent.problems import Away
from knowledge_base_agent.records.database import reading
from knowledge_base_agent.records.hidden import clearings, meant, seen_parts, shown
from knowledge_base_agent.records.states import STATES
from knowledge_base_agent.records.tables import TASKS
from knowledge_base_agent.records.task_filter import TaskFilter
from knowledge_base_agent.records.task_history import TaskRecord

_COLUMNS = tuple(TASKS.c[f.name] for f in fields(TaskRecord))
_INSTRUCTIONS: Final = (
    20_000  # of SQLite's machine between two looks at the clock: about a millisecond
)


@dataclass(frozen=True, kw_only=True)
class FailureGroup:
    """Failures of one task by one class of exception. Times are aware UTC; `sample` is the newest one's message."""

    name: str
    error_class: str | None
    count: int
    first: datetime
    last: datetime
    sample: str | None


@contextmanager
def reading_for(engine: Engine, seconds: float) -> Iterator[Connection]:
    """Open a connection for reads that end within about `seconds`, together on SQLite, each on PostgreSQL.

    Raises `Away` when the database does not answer, or the time is up.
    """
    end = time.monotonic() + seconds
    try:
        with reading(engine) as connection:
            if engine.dialect.name == "sqlite":
                raw: Any = connection.connection.driver_connection
                raw.set_progress_handler(lambda: time.monotonic() > end, _INSTRUCTIONS)
                try:
                    yield connection
                finally:
                    raw.set_progress_handler(None, 0)
            else:
                connection.execute(text(f"SET LOCAL statement_timeout = {int(seconds * 1000) + 1}"))
                yield connection
    except Away as problem:
        if time.monotonic() < end:
            raise
        raise Away(
            f"Looking through the rows was not done after {seconds:.1f} s.",
            "Ask for less: --state and --since are what the rows are indexed by.",
            source="the database",
        ) from problem


def newest(connection: Connection, wanted: TaskFilter, *, limit: int) -> list[TaskRecord]:
    """Return the rows that are meant, those whose state is the youngest first."""
    return _ordered(connection, wanted, limit, youngest=True)


def eldest(connection: Connection, wanted: TaskFilter, *, limit: int) -> list[TaskRecord]:
    """Return the rows that are meant, those whose state is the oldest first."""
    return _ordered(connection, wanted, limit, youngest=False)


def _ordered(
    connection: Connection, wanted: TaskFilter, limit: int, *, youngest: bool
) -> list[TaskRecord]:
    at = TASKS.c.updated_at.desc() if youngest else TASKS.c.updated_at.asc()
    found: list[TaskRecord] = []
    active, query = clearings(connection), select(*_COLUMNS).order_by(at).limit(limit)
    for state in wanted.states or STATES:
        # One state at a time: the index then gives the order, and a million matching rows are not sorted for a hundred.
        of_state = replace(wanted, states=(state,))
        for among in seen_parts(active, of_state, connection.dialect.name):
            rows = connection.execute(query.where(among)).mappings()
            found += [TaskRecord(**row) for row in rows]
    return sorted(found, key=lambda one: one.updated_at, reverse=youngest)[:limit]


def how_many(connection: Connection, wanted: TaskFilter, *, at_most: int) -> int:
    """Return how many rows are meant, counting no further than `at_most`."""
    counted = select(TASKS.c.id).where(meant(connection, wanted)).limit(at_most).subquery()
    return connection.scalar(select(func.count()).select_from(counted)) or 0


def failure_groups(connection: Connection, wanted: TaskFilter, *, limit: int) -> list[FailureGroup]:
    """Return the rows that are meant, by task and class of exception, the most frequent first."""
    table, count = TASKS.c, func.count()
    query = (
        select(table.name, table.error_class, count, func.min(table.updated_at), func.max(table.updated_at))
        .where(meant(connection, wanted))
        .group_by(table.name, table.error_class)
        .order_by(count.desc(), func.max(table.updated_at).desc())
        .limit(limit)
    )  # fmt: skip
    return [
        FailureGroup(
            name=name, error_class=kind, count=number, first=first, last=last,
            sample=_message(connection, name, kind, last, wanted.states),
        )
        for name, kind, number, first, last in connection.execute(query).all()
    ]  # fmt: skip


def _message(
    connection: Connection, name: str, kind: str | None, at: datetime, states: Iterable[str]
) -> str | None:
    table = TASKS.c
    query = select(table.error_message).where(
        table.state.in_(tuple(states)), table.updated_at == at
    )
    alike = query.where(table.name == name, table.error_class == kind, shown(connection))
    return connection.scalar(alike.limit(1))


def children(connection: Connection, parent: TaskRecord, *, limit: int) -> list[TaskRecord]:
    """Return the tasks that this one started, the youngest first."""
    # Parents have no index; but a child's state is never older than its parent's publishing.
    born = parent.published_at or parent.received_at or parent.started_at
    query = select(*_COLUMNS).where(TASKS.c.parent_id == parent.id, TASKS.c.state.in_(STATES))
    query = query.where(shown(connection))
    if born is not None:
        query = query.where(TASKS.c.updated_at >= born)
    rows = connection.execute(query.order_by(TASKS.c.updated_at.desc()).limit(limit))
    return [TaskRecord(**row) for row in rows.mappings()]
