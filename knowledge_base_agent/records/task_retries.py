"""Which task was sent again as which. Written before the sending: a link may lead to a task that nobody got."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from sqlalchemy import Connection, select

from knowledge_base_agent.actors import acting_run
from knowledge_base_agent.clock import utc_now
from knowledge_base_agent.records.hidden import shown
from knowledge_base_agent.records.road_tables import RUNS
from knowledge_base_agent.records.tables import TASKS
from knowledge_base_agent.records.task_message_tables import TASK_RETRIES
from knowledge_base_agent.records.upserts import among

_AT_ONCE: Final = 500
_SENDERS: Final = ("retry", "undo", "ops resume")
_LOOKED_AT: Final = 50
_BEATS_WITHIN: Final = timedelta(seconds=30)
"""A run that was killed may have sent after its last beat, for as long as it counts as alive."""


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
    query = select(TASKS.c.state).where(TASKS.c.id == old_id, shown(connection)).with_for_update()
    now = connection.scalar(query)
    if now != state:
        return f"it was {state} when this was previewed, and is {now or 'no longer in the rows'}"
    last = retried_as(connection, [old_id]).get(old_id)
    if last != known:
        return already_sent(connection, last)
    row = {"new_id": new_id, "old_id": old_id, "retried_at": utc_now()}
    connection.execute(TASK_RETRIES.insert(), row)
    return None


def already_sent(connection: Connection, new_id: str | None) -> str:
    """Say which run sent a task again as this one; "somebody" where more than one may have been it, or none is known.

    The run that was killed itself is such a one, to the run that goes on with it.
    """
    at = connection.scalar(select(TASK_RETRIES.c.retried_at).where(TASK_RETRIES.c.new_id == new_id))
    if at is None:
        return "its last retry was removed meanwhile"
    run, me = RUNS.c, acting_run()
    found = connection.execute(
        select(run.number, run.ended_at, run.beat_at)
        .where(run.operation.in_(_SENDERS), run.started_at <= at)
        .order_by(run.number.desc())
        .limit(_LOOKED_AT)
    )
    runs = [f"op-{n}" for n, ended, beat in found if at <= (ended or beat + _BEATS_WITHIN)]
    others = [one for one in runs if one != me]
    who = others[0] if len(others) == 1 else "somebody"
    return f"{who} sent it again meanwhile, as {new_id}"


def forget_retries(connection: Connection, ids: Sequence[str]) -> None:
    """Remove what these tasks were sent again as: their rows go."""
    connection.execute(TASK_RETRIES.delete().where(among(connection, TASK_RETRIES.c.old_id, ids)))


def unclaim_retry(connection: Connection, new_id: str) -> None:
    """Remove the link to a task that was certainly not sent."""
    connection.execute(TASK_RETRIES.delete().where(TASK_RETRIES.c.new_id == new_id))
