"""Tasks that a worker may be finishing while it shuts down: it hears nobody any more, so it can't be asked.

A worker that shuts down takes its mailbox along and then finishes what it runs; one that was killed leaves its mailbox
behind, on Redis. So a row that says STARTED of a worker without a mailbox is no orphan yet (measured on Celery 5.7).
"""

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from knowledge_base_agent.clock import utc_now
from knowledge_base_agent.fleet.deadline import Deadline
from knowledge_base_agent.fleet.views import FleetView
from knowledge_base_agent.problems import Away
from knowledge_base_agent.records.database import reading
from knowledge_base_agent.records.states import RUNNING
from knowledge_base_agent.records.task_history import TaskRecord, unfinished

if TYPE_CHECKING:
    from knowledge_base_agent.deployment import Deployment

AT_MOST = timedelta(hours=3)
"""For how long after its start a task without a time limit may be thought to be finishing."""
_SECONDS = 1.0
_MOST = 500


def may_be_finishing(
    row: TaskRecord, view: FleetView, mailboxes: Collection[str] | None, now: datetime
) -> bool:
    """Tell whether the worker of a row that says RUNNING said goodbye, and may still run the task. Pure.

    `mailboxes` are those bound on the broker; None where it can't tell (RabbitMQ), and then nobody is thought to.
    """
    if mailboxes is None or row.worker is None or row.state not in RUNNING:
        return False
    there = {worker.name for worker in view.workers} | set(view.silent)
    if row.worker in there or row.worker in mailboxes:
        return False
    allowed = AT_MOST if row.time_limit is None else timedelta(seconds=row.time_limit)
    return now - (row.started_at or row.updated_at) < allowed


def those_finishing(
    deployment: "Deployment", rows: Iterable[TaskRecord], view: FleetView
) -> frozenset[str]:
    """Return the ids of those rows' tasks that may be finishing, asking for the mailboxes only where one may be.

    Raises `Away` without a broker.
    """
    held = {task.id for task in view.held}
    running = [row for row in rows if row.state in RUNNING and row.id not in held]
    if not running:
        return frozenset()
    mailboxes = deployment.fleet.mailboxes(Deadline.after(_SECONDS))
    now = utc_now()
    return frozenset(row.id for row in running if may_be_finishing(row, view, mailboxes, now))


def all_finishing(deployment: "Deployment", view: FleetView) -> tuple[frozenset[str], str]:
    """Return the ids of every task that may be finishing, and why they may not be all, or an empty text."""
    try:
        with reading(deployment.engine) as connection:
            rows = unfinished(connection, started_before=utc_now(), states=RUNNING, limit=_MOST)
        found = those_finishing(deployment, rows, view)
    except Away as problem:
        return frozenset(), problem.what
    return found, f"only {_MOST} running rows were looked at." if len(rows) >= _MOST else ""
