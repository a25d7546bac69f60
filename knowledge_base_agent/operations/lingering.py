"""Tasks that were revoked and whose process ignores the signal: no longer listed anywhere, and still in their slot.

Celery forgets a task once it is revoked, so a second revoke with SIGKILL finds nothing. What is left to go by is the
process: the row knows which one began the task, and the worker knows which of its processes are occupied.
"""

from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING

from knowledge_base_agent.fleet.deadline import Deadline
from knowledge_base_agent.fleet.views import FleetView, Pool, WorkerView
from knowledge_base_agent.operations.operation import Target
from knowledge_base_agent.problems import Away
from knowledge_base_agent.records.database import reading
from knowledge_base_agent.records.task_history import rows_by_ids

if TYPE_CHECKING:
    from knowledge_base_agent.deployment import Deployment

_LOOK_SECONDS = 2.0
_KILL_SECONDS = 5.0
_GONE_SECONDS = 8.0


class Lingering(Target):
    """One process to kill, named by the task that it was seen to begin."""

    id: str
    name: str
    worker: str
    process: int


def find_lingering(deployment: "Deployment", ids: Collection[str]) -> tuple[Lingering, ...]:
    """Return those of the tasks whose process is occupied by nothing that is listed. Raises `Away`."""
    with reading(deployment.engine) as connection:
        rows = rows_by_ids(connection, ids)
    view = deployment.fleet.workers.look(Deadline.after(_LOOK_SECONDS), fresh=True)
    workers = {worker.name: worker for worker in view.workers}
    return tuple(
        Lingering(id=row.id, name=row.name, worker=row.worker, process=row.process_id)
        for row in rows.values()
        if row.worker is not None
        and row.process_id is not None
        and row.worker in workers
        and _lingers(workers[row.worker], row.id, row.process_id)
    )


def _lingers(worker: WorkerView, task_id: str, process: int) -> bool:
    if worker.pool is not Pool.PREFORK:
        return False  # what is occupied there is no process of the task's own
    listed = any(task.process == process or task.id == task_id for task in worker.active)
    return process in (worker.occupied or ()) and not listed


def kill(
    deployment: "Deployment", lingering: Collection[Lingering]
) -> Iterator[tuple[str, bool, str]]:
    """Kill each process once, and yield the task's id, whether the process is gone, and what was seen."""
    for one in lingering:
        # The process may have gone on to another task since the preview: then it must not be killed.
        if one.id not in {found.id for found in find_lingering(deployment, [one.id])}:
            yield one.id, True, f"process {one.process} no longer works on it"
            continue
        try:
            answer = deployment.fleet.kill(Deadline.after(_KILL_SECONDS), one.worker, one.process)
        except Away as problem:
            yield one.id, False, f"not killed: {problem.what}"
            continue
        if not answer.accepted:
            yield one.id, False, f"{one.worker} refused: {answer.said}"
            continue
        yield one.id, *_seen(deployment, one)


def _seen(deployment: "Deployment", one: Lingering) -> tuple[bool, str]:
    deadline = Deadline.after(_GONE_SECONDS)
    while True:
        view = deployment.fleet.workers.look(deadline.at_most(_LOOK_SECONDS), fresh=True)
        if _is_gone(view, one):
            return True, f"process {one.process} of {one.worker} is gone"
        if deadline.expired:
            return (
                False,
                f"process {one.process} of {one.worker} was sent SIGKILL and is still listed",
            )


def _is_gone(view: FleetView, one: Lingering) -> bool:
    worker = next((worker for worker in view.workers if worker.name == one.worker), None)
    return worker is not None and one.process not in (worker.processes or (one.process,))
