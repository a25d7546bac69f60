"""What is wrong with a task that does not end. Pure: from what workers, rows and progress say, to a reason.

*Stuck* and *orphaned* need different cures: a stuck task has a worker's slot and is terminated; an orphaned one has a
row and no worker, since its worker was killed, and there is nothing left to terminate (field notes, "Seeing").
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

from knowledge_base_agent.fleet.views import FleetView, HeldTask, Pool, WorkerView
from knowledge_base_agent.operations.finishing import may_be_finishing
from knowledge_base_agent.records.states import RUNNING
from knowledge_base_agent.records.task_history import TaskRecord
from knowledge_base_agent.records.task_progress import Progress
from knowledge_base_agent.wording import duration

STALLED_AFTER = timedelta(minutes=10)
"""A task that told progress before, and none for this long, has stalled."""
SETTLING = timedelta(seconds=15)
"""How long a row may lag behind the workers before its worker is missed."""


class Trouble(Enum):
    """Why a task is listed, the gravest first."""

    PAST_LIMIT = "past the time limit"
    ORPHANED = "orphaned"
    LET_GO = "taken and let go"
    FINISHING = "perhaps finishing"
    UNKNOWN = "of unknown state"
    STALLED = "without progress"
    TOO_LONG = "running too long"


@dataclass(frozen=True, kw_only=True)
class StuckTask:
    """One task that does not end, and why it is thought so."""

    id: str
    name: str
    trouble: Trouble
    why: str
    age: timedelta | None
    worker: str | None
    queue: str | None
    progress: Progress | None


def find_stuck(
    view: FleetView | None,
    records: Iterable[TaskRecord],
    progress: Mapping[str, Progress],
    *,
    longer_than: timedelta,
    now: datetime,
    mailboxes: Collection[str] | None = None,
) -> Iterator[StuckTask]:
    """Yield the tasks in trouble. `view` is None when the workers could not be asked; `records` run by their rows.

    `mailboxes` tell a worker that shuts down from one that was killed; None where the broker has no word of it.
    """
    held = {task.id for task in view.held} if view else set()
    if view is not None:
        for worker in view.workers:
            for task in worker.active:
                found = _running(task, worker, progress.get(task.id), longer_than, now)
                if found is not None:
                    yield found
    for record in records:
        if record.id in held:
            continue
        finishing = view is not None and may_be_finishing(record, view, mailboxes, now)
        judge = _finishing if finishing else _without_worker
        found = judge(record, view, progress.get(record.id), longer_than, now)
        if found is not None:
            yield found


def _running(
    task: HeldTask,
    worker: WorkerView,
    progress: Progress | None,
    longer_than: timedelta,
    now: datetime,
) -> StuckTask | None:
    age = now - task.started_at if task.started_at else None
    trouble, why = _why_running(task, worker, age, progress, longer_than, now)
    if trouble is None:
        return None
    return StuckTask(
        id=task.id, name=task.name, trouble=trouble, why=why, age=age, worker=task.worker,
        queue=task.queue, progress=progress,
    )  # fmt: skip


def why_past_limit(pool: Pool) -> str:
    """Return why a task may be past its time limit; only prefork has a process to kill."""
    if pool is Pool.GEVENT:
        return "a gevent pool throws the limit into its code, which held on to it"
    if pool in {Pool.THREADS, Pool.SOLO, Pool.EVENTLET}:
        return f"a {pool} pool ends no task at its limit"
    if pool is Pool.PREFORK:
        return "its pool should have ended it: the worker itself may be hung"
    return "its pool ignores limits, or the clocks differ"


def _why_running(
    task: HeldTask,
    worker: WorkerView,
    age: timedelta | None,
    progress: Progress | None,
    longer_than: timedelta,
    now: datetime,
) -> tuple[Trouble | None, str]:
    if age is None:
        return Trouble.UNKNOWN, "its worker does not say since when it runs"
    if task.time_limit is not None and age > task.time_limit + SETTLING:
        limit = duration(task.time_limit)
        return (
            Trouble.PAST_LIMIT,
            f"past its time limit of {limit}: {why_past_limit(worker.pool)}",
        )
    if progress is not None and progress.updated_at is not None:
        quiet = now - progress.updated_at
        if quiet > min(STALLED_AFTER, longer_than) and age > min(STALLED_AFTER, longer_than):
            too_long = f", and running longer than {duration(longer_than)}" * (age > longer_than)
            return Trouble.STALLED, f"no progress for {duration(quiet)}{too_long}"
    if age > longer_than:
        return Trouble.TOO_LONG, f"running longer than {duration(longer_than)}"
    return None, ""


def _without_worker(
    record: TaskRecord,
    view: FleetView | None,
    progress: Progress | None,
    longer_than: timedelta,
    now: datetime,
) -> StuckTask | None:
    if record.state not in RUNNING:
        return _let_go(record, view, longer_than, now)
    since = record.started_at or record.updated_at
    age = now - since
    if view is None or not view.complete:
        if age <= longer_than:
            return None
        who = "the workers can't be asked" if view is None else "not every worker answered"
        trouble, why = Trouble.UNKNOWN, f"started by its row, but {who}"
    elif now - record.updated_at > SETTLING and since < view.taken_at - SETTLING:
        trouble, why = Trouble.ORPHANED, "no worker has it: its worker is gone, and the row stayed"
    else:
        return None
    return StuckTask(
        id=record.id, name=record.name, trouble=trouble, why=why, age=age, worker=record.worker,
        queue=record.queue, progress=progress,
    )  # fmt: skip


def _finishing(
    record: TaskRecord,
    view: FleetView | None,
    progress: Progress | None,
    longer_than: timedelta,
    now: datetime,
) -> StuckTask | None:
    """Judge a task whose worker has said goodbye. It is listed from the start: nobody else can be asked about it."""
    age = now - (record.started_at or record.updated_at)
    if now - record.updated_at <= SETTLING:
        return None
    why = "its worker was shut down and hears nobody; it may still be finishing this"
    return StuckTask(
        id=record.id, name=record.name, trouble=Trouble.FINISHING, why=why, age=age,
        worker=record.worker, queue=record.queue, progress=progress,
    )  # fmt: skip


def _let_go(
    record: TaskRecord, view: FleetView | None, longer_than: timedelta, now: datetime
) -> StuckTask | None:
    """Judge a task that a worker had taken and not started: received, or waiting for its next try."""
    due = max(record.updated_at, record.eta or record.updated_at)
    if view is None or not view.complete or _lists_are_cut(view):
        return None
    if now - due <= max(longer_than, SETTLING):
        return None
    why = (
        f"{record.state} since {duration(now - record.updated_at)}, and no worker has it: it waits in a queue, or was "
        "purged from it, or its worker is gone and it comes back after the visibility timeout"
    )
    return StuckTask(
        id=record.id, name=record.name, trouble=Trouble.LET_GO, why=why, age=now - record.updated_at,
        worker=record.worker, queue=record.queue, progress=None,
    )  # fmt: skip


def _lists_are_cut(view: FleetView) -> bool:
    return any(
        worker.waiting > len(worker.reserved) or worker.postponed > len(worker.scheduled)
        for worker in view.workers
    )
