"""What the rows say: counts, the last day, single tasks, unfinished ones. Each runs under the engine's deadline.

The rows are as old as the recorder's position says (`recorder_state.py`); what runs at this moment is asked of workers.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Any

from msgspec import Struct
from sqlalchemy import Connection, Select, UnaryExpression, func, select

from knowledge_base_agent.clock import utc_now
from knowledge_base_agent.records.hidden import Clearing, Span, clearings, seen_places, shown
from knowledge_base_agent.records.states import PROGRESS, STARTED
from knowledge_base_agent.records.tables import TASK_COUNTS, TASK_HOURS, TASKS

_AT_ONCE = 500


@dataclass(frozen=True, kw_only=True)
class TaskRecord:
    """What is remembered of one task. Times are aware UTC by the clocks of the processes that saw it.

    `updated_at` is when the present state began, and of a finished task the same as `finished_at`. `time_limit` is in
    seconds. `args_repr` is redacted, and cut when `args_shortened`. Errors are those of the last run that had one.
    """

    id: str
    name: str
    queue: str | None
    state: str
    retries: int
    redelivered: bool
    worker: str | None
    process_id: int | None
    published_at: datetime | None
    received_at: datetime | None
    started_at: datetime | None
    finished_at: datetime | None
    updated_at: datetime
    eta: datetime | None
    time_limit: float | None
    parent_id: str | None
    root_id: str | None
    args_repr: str | None
    args_shortened: bool
    error_class: str | None
    error_message: str | None
    traceback: str | None


class HourCounts(Struct, frozen=True, kw_only=True):
    """Tasks that ended within one hour, by their final state. `hour` is its beginning, aware UTC."""

    hour: datetime
    by_state: Mapping[str, int]


_COLUMNS = tuple(TASKS.c[f.name] for f in fields(TaskRecord))


def counts(connection: Connection) -> Mapping[str, int]:
    """Return the number of rows by state, from the kept counters: the same cost at any size. Zeros are left out."""
    rows = connection.execute(select(TASK_COUNTS.c.state, TASK_COUNTS.c.tasks))
    return {state: n for state, n in rows if n}


def counts_by_scan(connection: Connection) -> Mapping[str, int]:
    """Return the same by counting all rows: slow, and what the counters are checked against."""
    query = select(TASKS.c.state, func.count()).where(shown(connection))
    rows = connection.execute(query.group_by(TASKS.c.state))
    return {state: n for state, n in rows}  # noqa: C416 - a Row is no pair to the type checker


def last_24_hours(connection: Connection, *, now: datetime | None = None) -> list[HourCounts]:
    """Return the tasks that ended in each of the last 24 hours, the oldest first; the last hour is not over yet.

    Kept counters, which clearing rows does not change.
    """
    last = (now or utc_now()).replace(minute=0, second=0, microsecond=0)
    first = last - timedelta(hours=23)
    table = TASK_HOURS
    query = select(table.c.hour, table.c.state, table.c.finished)
    found: dict[datetime, dict[str, int]] = {}
    for hour, state, finished in connection.execute(query.where(table.c.hour.between(first, last))):
        if finished:
            found.setdefault(hour, {})[state] = finished
    hours = [first + timedelta(hours=n) for n in range(24)]
    return [HourCounts(hour=hour, by_state=found.get(hour, {})) for hour in hours]


def rows_by_ids(connection: Connection, task_ids: Iterable[str]) -> dict[str, TaskRecord]:
    """Return what is remembered of these tasks; unknown ids are left out."""
    ids = list(dict.fromkeys(task_ids))
    seen = shown(connection)
    found: dict[str, TaskRecord] = {}
    for start in range(0, len(ids), _AT_ONCE):
        query = select(*_COLUMNS).where(TASKS.c.id.in_(ids[start : start + _AT_ONCE]), seen)
        found |= {record.id: record for record in _records(connection, query)}
    return found


def unfinished(
    connection: Connection,
    *,
    started_before: datetime,
    states: Iterable[str] = (STARTED, PROGRESS),
    limit: int = 1_000,
) -> list[TaskRecord]:
    """Return tasks that are in one of `states` and started before then (aware UTC), the longest first.

    A task whose start was never recorded counts from when its state began. This is what the rows say; whether a worker
    still has such a task is for the workers to tell.
    """
    since = func.coalesce(TASKS.c.started_at, TASKS.c.updated_at)
    query = select(*_COLUMNS).where(TASKS.c.state.in_(list(states)), since < started_before)
    query = query.where(shown(connection))
    return _records(connection, query.order_by(since, TASKS.c.id).limit(limit))


def latest(
    connection: Connection, *, states: Iterable[str], since: datetime | None = None, limit: int = 50
) -> list[TaskRecord]:
    """Return the tasks that came into one of `states` last, the newest first; with `since` (aware UTC), not before."""
    newest = TASKS.c.updated_at.desc()
    after = Span(since=since)
    active = clearings(connection)
    found = [
        record
        for state in states
        for record in _of_state(connection, active, state, span=after, order=newest, limit=limit)
    ]
    return sorted(found, key=lambda record: record.updated_at, reverse=True)[:limit]


def oldest(
    connection: Connection, *, states: Iterable[str], before: datetime, limit: int = 5
) -> list[TaskRecord]:
    """Return the tasks that have been in one of `states` since before then (aware UTC), the oldest first."""
    first = TASKS.c.updated_at.asc()
    then = Span(until=before)
    active = clearings(connection)
    found = [
        record
        for state in states
        for record in _of_state(connection, active, state, span=then, order=first, limit=limit)
    ]
    return sorted(found, key=lambda record: record.updated_at)[:limit]


def _of_state(
    connection: Connection,
    active: Sequence[Clearing],
    state: str,
    *,
    span: Span,
    order: UnaryExpression[Any],
    limit: int,
) -> list[TaskRecord]:
    # One state at a time: the index then gives the order, and a million matching rows are not sorted for five.
    query = select(*_COLUMNS).order_by(order).limit(limit)
    return [
        record
        for place in seen_places(active, state, span)
        for record in _records(connection, query.where(place))
    ]


def _records(connection: Connection, query: Select[Any]) -> list[TaskRecord]:
    return [TaskRecord(**row) for row in connection.execute(query).mappings()]
