"""Writing a batch of entries: rows, counters, gaps and the recorder's position in one transaction."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, bindparam, insert, select, text, update

from knowledge_base_agent.clock import utc_now
from knowledge_base_agent.records.hidden import Row, locked_clearings, spare, uncover
from knowledge_base_agent.records.merging import TaskRow, apply
from knowledge_base_agent.records.row_writing import write_rows
from knowledge_base_agent.records.stream import GAP, Entry
from knowledge_base_agent.records.stream_reader import Position
from knowledge_base_agent.records.tables import (
    HISTORY_GAPS,
    RECORDER_STATE,
    TASK_COUNTS,
    TASK_HOURS,
    TASKS,
)
from knowledge_base_agent.records.task_messages import keep_messages
from knowledge_base_agent.records.upserts import add_to

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_NAMES: Final = tuple(f.name for f in fields(TaskRow))
_TIMES: Final = ("published_at", "received_at", "started_at", "finished_at", "updated_at", "eta")


class Overtaken(Exception):
    """Another recorder has written since the position was read: nothing of this batch may be kept."""


@dataclass(frozen=True, kw_only=True)
class Gap:
    """Entries that no one will ever read. `lost` is None when their number cannot be known."""

    source: str
    lost: int | None
    detail: str


@dataclass(frozen=True, kw_only=True)
class Recorded:
    """What a batch is to be written with."""

    entries: Sequence[Entry]
    before: Position
    after: Position
    lag: int
    holder: str
    gaps: Sequence[Gap] = field(default=())


def write_batch(connection: Connection, batch: Recorded) -> None:
    """Write a batch. Raises `Overtaken` when its position is not the present one; the caller then rolls back."""
    _advance(connection, batch)
    about_tasks = [entry for entry in batch.entries if entry.state != GAP]
    write_entries(connection, about_tasks)
    gaps = [*batch.gaps, *(_told_gap(entry) for entry in batch.entries if entry.state == GAP)]
    if gaps:
        now = utc_now()
        rows = [
            {"noticed_at": now, "source": g.source, "lost": g.lost, "detail": g.detail}
            for g in gaps
        ]
        connection.execute(insert(HISTORY_GAPS), rows)


def _told_gap(entry: Entry) -> Gap:
    return Gap(
        source=entry.worker or "a process", lost=entry.retries, detail=entry.error_message or ""
    )


def _advance(connection: Connection, batch: Recorded) -> None:
    # First in the transaction: on PostgreSQL it locks the row, so that two recorders write one after the other, and
    # the second finds a position that is not its own.
    values: dict[str, Any] = {
        "last_id": batch.after.last_id,
        "position": batch.after.number,
        "lag": batch.lag,
        "updated_at": utc_now(),
        "holder": batch.holder,
    }
    if batch.entries:
        values["last_event_at"] = _moment(max(entry.at for entry in batch.entries))
    table = RECORDER_STATE
    ours = (table.c.id == 1) & (table.c.last_id == batch.before.last_id)
    ours &= table.c.position == batch.before.number
    if connection.execute(update(table).where(ours).values(values)).rowcount == 1:
        return
    if batch.before != Position() or connection.scalar(select(table.c.id).where(table.c.id == 1)):
        raise Overtaken
    connection.execute(insert(table), {"id": 1, **values})


def write_entries(connection: Connection, entries: Iterable[Entry]) -> None:
    """Bring rows and counters up to date with these entries."""
    by_task: dict[str, list[Entry]] = {}
    for entry in entries:
        by_task.setdefault(entry.id, []).append(entry)
    if not by_task:
        return
    active = locked_clearings(connection)
    rows = _load(connection, sorted(by_task))
    for moved in uncover(connection, active, _places(rows.values())):
        del rows[moved]
    counts: Counter[str] = Counter()
    hours: Counter[tuple[int, str]] = Counter()
    for task_id, about in by_task.items():
        row = rows.get(task_id)
        if row is None:
            row = rows[task_id] = TaskRow(id=task_id)
        else:
            _count(row, counts, hours, -1)
        for entry in about:
            apply(row, entry)
        _count(row, counts, hours, 1)
    write_rows(connection, rows.values())
    spare(connection, active, _places(rows.values()))
    change_counts(connection, counts)
    _change_hours(connection, hours)
    keep_messages(connection, [one for about in by_task.values() for one in about if one.message])


def _places(rows: Iterable[TaskRow]) -> Iterator[Row]:
    return ((row.id, row.state, _moment(row.updated_at)) for row in rows)


def _count(row: TaskRow, counts: Counter[str], hours: Counter[tuple[int, str]], by: int) -> None:
    counts[row.state] += by
    if row.finished_hour is not None:
        hours[row.finished_hour, row.state] += by


def change_counts(connection: Connection, changes: Counter[str]) -> None:
    """Add to the counters by state; in the order of their names, so that two writers never wait for each other."""
    rows = [{"state": state, "tasks": n} for state, n in sorted(changes.items()) if n]
    if rows:
        connection.execute(add_to(connection, TASK_COUNTS, "tasks"), rows)


def _change_hours(connection: Connection, changes: Counter[tuple[int, str]]) -> None:
    rows = [
        {"hour": _moment(hour), "state": state, "finished": n}
        for (hour, state), n in sorted(changes.items())
        if n
    ]
    if rows:
        connection.execute(add_to(connection, TASK_HOURS, "finished"), rows)


def _load(connection: Connection, ids: list[str]) -> dict[str, TaskRow]:
    query = select(*(TASKS.c[name] for name in _NAMES))
    if connection.dialect.name == "postgresql":
        # Locked in the order of ids, as `clearing` does: a row must not go between this look and our write.
        query = query.where(text("id = ANY(:ids)").bindparams(bindparam("ids", ids)))
        query = query.order_by(TASKS.c.id).with_for_update()
    else:
        among = text("id IN (SELECT value FROM json_each(:ids))")
        query = query.where(among.bindparams(bindparam("ids", json.dumps(ids))))
    return {row[0]: _row(row) for row in connection.execute(query)}


def _row(values: Any) -> TaskRow:
    read = dict(zip(_NAMES, values, strict=True))
    for name in _TIMES:
        if read[name] is not None:
            read[name] = (read[name] - _EPOCH) // _MICROSECOND
    return TaskRow(**read)


def _moment(microseconds: int) -> datetime:
    return _EPOCH + timedelta(microseconds=microseconds)
