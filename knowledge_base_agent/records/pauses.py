"""Paused queues as rows: who paused what, since when, until when, and which workers were told to stop.

A pause is a wish that outlives workers: `keeping` tells it to whoever joins. A row that has ended stays until every
worker that was told to stop takes from the queue again, so that none is forgotten because it was silent.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, and_, delete, select, update

from knowledge_base_agent.records.standing_orders_tables import PAUSES
from knowledge_base_agent.records.upserts import upsert

QUEUE = "queue"


@dataclass(frozen=True, kw_only=True)
class Pause:
    """One pause of a queue. Times are aware UTC."""

    queue: str
    at: datetime
    by: str
    until: datetime | None
    """When it ends by itself; None where a person has to end it."""
    ended_at: datetime | None
    """When it was ended; the row stays until its workers are back."""
    ended_by: str | None
    workers: tuple[str, ...]
    """The workers that took from the queue and were told to stop, by name."""

    @property
    def lasts(self) -> bool:
        """Return whether the queue is to be paused."""
        return self.ended_at is None


def begin_pause(
    connection: Connection,
    queue: str,
    *,
    at: datetime,
    by: str,
    until: datetime | None,
    workers: Iterable[str],
) -> Pause:
    """Keep that a queue is paused; one that is paused already gets the new end, and keeps its workers."""
    before = read_pause(connection, queue, locked=True)
    known = set(before.workers) if before else set()
    names = sorted(known | set(workers))
    values = {
        "kind": QUEUE, "subject": queue, "at": at, "by": by[:200], "until": until,
        "ended_at": None, "ended_by": None, "workers": json.dumps(names),
    }  # fmt: skip
    connection.execute(upsert(connection, PAUSES).values(values))
    return Pause(
        queue=queue, at=at, by=by, until=until, ended_at=None, ended_by=None, workers=tuple(names)
    )


def stopped_too(connection: Connection, queue: str, workers: Iterable[str]) -> None:
    """Note more workers that were told to stop; does nothing where there is no such pause."""
    found = read_pause(connection, queue, locked=True)
    if found is not None:
        _set_workers(connection, queue, {*found.workers, *workers})


def back_again(connection: Connection, queue: str, workers: Iterable[str]) -> None:
    """Note workers of an ended pause that are back, or gone for good; the last one takes the row along."""
    found = read_pause(connection, queue, locked=True)
    if found is None or found.lasts:
        return
    left = set(found.workers) - set(workers)
    if left:
        _set_workers(connection, queue, left)
    else:
        connection.execute(delete(PAUSES).where(_is(queue)))


def end_pause(connection: Connection, queue: str, *, at: datetime, by: str) -> Pause | None:
    """Note that a pause is over, and return it as it was; None if there is none that lasts."""
    found = read_pause(connection, queue, locked=True)
    if found is None or not found.lasts:
        return None
    connection.execute(update(PAUSES).where(_is(queue)).values(ended_at=at, ended_by=by[:200]))
    return found


def put_pause(
    connection: Connection, queue: str, pause: Pause | None, *, workers: Iterable[str], at: datetime
) -> None:
    """Write that a queue is paused as in `pause`, or, where that is None or over, that it is not since `at`.

    `workers` are those that were told to stop: of a pause that is over they are to be told that it is.
    """
    if pause is not None and pause.lasts:
        values = {
            name: getattr(pause, name) for name in ("at", "by", "until", "ended_at", "ended_by")
        }
        values |= {"kind": QUEUE, "subject": queue, "workers": json.dumps(sorted(set(workers)))}
        connection.execute(upsert(connection, PAUSES).values(values))
    elif (found := read_pause(connection, queue, locked=True)) is not None and found.lasts:
        end_pause(connection, queue, at=at, by=found.by)


def read_pause(connection: Connection, queue: str, *, locked: bool = False) -> Pause | None:
    """Return the pause of a queue, ended or not. `locked` keeps other writers of it waiting until we commit."""
    query = select(PAUSES).where(_is(queue))
    row = connection.execute(query.with_for_update() if locked else query).mappings().first()
    return None if row is None else _pause(dict(row))


def all_pauses(connection: Connection) -> tuple[Pause, ...]:
    """Return every pause, by queue; also those that have ended and whose workers are not all back."""
    rows = connection.execute(
        select(PAUSES).where(PAUSES.c.kind == QUEUE).order_by(PAUSES.c.subject)
    )
    return tuple(_pause(dict(row)) for row in rows.mappings())


def _is(queue: str) -> ColumnElement[bool]:
    return and_(PAUSES.c.kind == QUEUE, PAUSES.c.subject == queue)


def _set_workers(connection: Connection, queue: str, names: Iterable[str]) -> None:
    listed = json.dumps(sorted(set(names)))
    connection.execute(update(PAUSES).where(_is(queue)).values(workers=listed))


def _pause(row: dict[str, object]) -> Pause:
    kept = {name: row[name] for name in ("at", "by", "until", "ended_at", "ended_by")}
    names = json.loads(str(row["workers"]))
    return Pause(queue=str(row["subject"]), workers=tuple(names), **kept)  # type: ignore[arg-type]
