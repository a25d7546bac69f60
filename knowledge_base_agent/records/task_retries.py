"""Which task was sent again as which. Written before the sending: a link may lead to a task that nobody got."""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import Connection, select

from knowledge_base_agent.clock import utc_now
from knowledge_base_agent.records.tables import TASKS
from knowledge_base_agent.records.task_message_tables import TASK_RETRIES
from knowledge_base_agent.records.upserts import among

_AT_ONCE: Final = 500


def retried_as(connection: Connection, ids: Sequence[str]) -> dict[str, str]:
    """Return the newest id that each of these tasks was sent again under; those that were not are left out."""
    found: dict[str, str] = {}
    table = TASK_RETRIES.c
    for start in range(0, len(ids), _AT_ONCE):
        query = select(table.old_id, table.new_id).order_by(table.retried_at)
        rows = connection.execute(query.where(table.old_id.in_(ids[start : start + _AT_ONCE])))
        found |= {old: new for old, new in rows}  # noqa: C416 - a Row is no pair to the type checker
    return found


def retry_of(connection: Connection, new_id: str) -> str | None:
    """Return the task that was sent again as this one, if it was one."""
    query = select(TASK_RETRIES.c.old_id).where(TASK_RETRIES.c.new_id == new_id)
    return connection.scalar(query)


def claim_retry(
    connection: Connection, old_id: str, new_id: str, *, known: str | None, state: str
) -> str | None:
    """Link the two ids, and return None; or return why not, in words.

    `known` and `state` are what the preview saw: the task's last retry, and its state. Whoever claims second, of two
    who saw the same, is told.
    """
    # Locked on PostgreSQL, so that two claims of one task follow each other; SQLite has one writer anyway.
    query = select(TASKS.c.state).where(TASKS.c.id == old_id).with_for_update()
    now = connection.scalar(query)
    if now != state:
        return f"it was {state} when this was previewed, and is {now or 'no longer in the rows'}"
    last = retried_as(connection, [old_id]).get(old_id)
    if last != known:
        return f"somebody sent it again meanwhile, as {last}"
    row = {"new_id": new_id, "old_id": old_id, "retried_at": utc_now()}
    connection.execute(TASK_RETRIES.insert(), row)
    return None


def forget_retries(connection: Connection, ids: Sequence[str]) -> None:
    """Remove what these tasks were sent again as: their rows go."""
    connection.execute(TASK_RETRIES.delete().where(among(connection, TASK_RETRIES.c.old_id, ids)))


def unclaim_retry(connection: Connection, new_id: str) -> None:
    """Remove the link to a task that was certainly not sent."""
    connection.execute(TASK_RETRIES.delete().where(TASK_RETRIES.c.new_id == new_id))
