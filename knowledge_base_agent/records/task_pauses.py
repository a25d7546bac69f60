"""Paused tasks as rows: who paused what, since when, until when. Kept beside the paused queues, told in another way.

A row that has ended stays until all that was set aside is back in its queue.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, and_, delete, select, update

from knowledge_base_agent.records.standing_orders_tables import PAUSES
from knowledge_base_agent.records.upserts import upsert

TASK = "task"


@dataclass(frozen=True, kw_only=True)
class TaskPause:
    """One pause of a task. Times are aware UTC."""

    task: str
    at: datetime
    by: str
    until: datetime | None
    """When it ends by itself; None where a person has to end it."""
    ended_at: datetime | None
    """When it was ended; the row stays until its messages are back."""
    ended_by: str | None

    @property
    def lasts(self) -> bool:
        """Return whether the task is to be paused."""
        return self.ended_at is None


def begin_task_pause(
    connection: Connection, task: str, *, at: datetime, by: str, until: datetime | None
) -> TaskPause:
    """Keep that a task is paused; one that is paused already gets the new end."""
    values = {
        "kind": TASK, "subject": task, "at": at, "by": by[:200], "until": until,
        "ended_at": None, "ended_by": None, "workers": "[]",
    }  # fmt: skip
    connection.execute(upsert(connection, PAUSES).values(values))
    return TaskPause(task=task, at=at, by=by, until=until, ended_at=None, ended_by=None)


def end_task_pause(connection: Connection, task: str, *, at: datetime, by: str) -> TaskPause | None:
    """Note that a pause is over, and return it as it was; None if there is none that lasts."""
    query = select(PAUSES).where(_is(task)).with_for_update()
    row = connection.execute(query).mappings().first()
    found = None if row is None else _pause(dict(row))
    if found is None or not found.lasts:
        return None
    connection.execute(update(PAUSES).where(_is(task)).values(ended_at=at, ended_by=by[:200]))
    return found


def all_back(connection: Connection, task: str) -> None:
    """Forget a pause that has ended, for nothing is set aside any more; one that was begun again stays."""
    connection.execute(delete(PAUSES).where(_is(task), PAUSES.c.ended_at.is_not(None)))


def all_task_pauses(connection: Connection) -> tuple[TaskPause, ...]:
    """Return every pause, by task; also those that have ended and whose messages are not all back."""
    rows = connection.execute(
        select(PAUSES).where(PAUSES.c.kind == TASK).order_by(PAUSES.c.subject)
    )
    return tuple(_pause(dict(row)) for row in rows.mappings())


def _is(task: str) -> ColumnElement[bool]:
    return and_(PAUSES.c.kind == TASK, PAUSES.c.subject == task)


def _pause(row: dict[str, object]) -> TaskPause:
    kept = {name: row[name] for name in ("at", "by", "until", "ended_at", "ended_by")}
    return TaskPause(task=str(row["subject"]), **kept)  # type: ignore[arg-type]
