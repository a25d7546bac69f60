"""The partial reset: stop what is stuck, say that the agent is idle, have each queue consumed again."""

from datetime import timedelta
from typing import TYPE_CHECKING

from knowledge_base_agent.clock import utc_now
from knowledge_base_agent.fleet.consuming import start_consuming
from knowledge_base_agent.fleet.deadline import Deadline
from knowledge_base_agent.fleet.queue_views import QueuesView
from knowledge_base_agent.fleet.views import FleetView
from knowledge_base_agent.operations.active import told_progress
from knowledge_base_agent.operations.operation import Progress
from knowledge_base_agent.operations.reset_agent import counts_as_running
from knowledge_base_agent.operations.reset_looking import everyone, our_queues
from knowledge_base_agent.operations.reset_revoking import revoke_all
from knowledge_base_agent.operations.reset_runbook import Outcome, ResetTarget, Step
from knowledge_base_agent.operations.stuckness import StuckTask, Trouble, find_stuck
from knowledge_base_agent.operations.undo_agent import idle_undoably
from knowledge_base_agent.records.agent_state import IDLE, read_agent_state
from knowledge_base_agent.records.database import reading, writing
from knowledge_base_agent.records.pauses import all_pauses
from knowledge_base_agent.wording import counted

if TYPE_CHECKING:
    from knowledge_base_agent.deployment import Deployment

_CONSUMERS_SECONDS = 10.0
_STUCK = {Trouble.PAST_LIMIT, Trouble.STALLED, Trouble.TOO_LONG}
"""Troubles of tasks that run. An orphan has no process to stop, and what is unknown is not stopped unseen."""


def stuck_and_running(
    deployment: "Deployment", view: FleetView, longer_than: timedelta
) -> tuple[StuckTask, ...]:
    """Return the tasks that our workers run and that are stuck by the words of `stuck`."""
    ours = {w.name for w in view.workers if w.ours is not False}
    ids = [task.id for worker in view.workers for task in worker.active]
    said, _ = told_progress(deployment, ids)
    found = find_stuck(view, (), said, longer_than=longer_than, now=utc_now())
    return tuple(one for one in found if one.trouble in _STUCK and one.worker in ours)


def unconsumed(
    deployment: "Deployment", view: FleetView, queues: QueuesView
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the queues that nobody consumes: those to resume, and those that are paused on purpose. Raises `Away`."""
    with reading(deployment.engine) as connection:
        paused = {one.queue for one in all_pauses(connection) if one.lasts}
    ours = set(our_queues(view, queues))
    idle = [q.name for q in queues.queues if q.name in ours and q.consumer_count == 0]
    return tuple(q for q in idle if q not in paused), tuple(q for q in idle if q in paused)


def _revoke_stuck(deployment: "Deployment", target: ResetTarget, progress: Progress) -> Outcome:
    view, nodes = everyone(deployment, target)
    held = {task.id for task in view.held}
    still = [one for one in target.task_ids if one in held]
    stopped = revoke_all(deployment, nodes, still, progress)
    if not stopped.verified:
        return Outcome(verified=False, detail=stopped.detail)
    over = len(target.task_ids) - len(still)
    ended = f"; {over} had ended by themselves" if over else ""
    said = f"{counted(len(still), 'stuck task')} stopped{ended}"
    return Outcome(verified=True, detail=said if target.task_ids else "no task was stuck")


def _agent(deployment: "Deployment", target: ResetTarget, progress: Progress) -> Outcome:
    with reading(deployment.engine) as connection:
        state = read_agent_state(connection)
    if state.status == IDLE:
        return Outcome(verified=True, detail="it was idle")
    why = counts_as_running(deployment, state)
    if why:
        # What runs and is not stuck is left alone; what can't be told is not called idle.
        detail = f"left as it is, {state.status}: {why}"
        return Outcome(verified="unknown" not in why, detail=detail)
    with writing(deployment.engine) as connection:
        changed = idle_undoably(deployment, connection, only_task=state.task_id)
    return Outcome(
        verified=changed, detail=f"was {state.status}, is idle" if changed else "it moved on"
    )


def _resume(deployment: "Deployment", target: ResetTarget, progress: Progress) -> Outcome:
    _, nodes = everyone(deployment, target)
    if not target.queues:
        return Outcome(verified=True, detail="each queue has a consumer, or is paused on purpose")
    for number, queue in enumerate(target.queues):
        progress(number, len(target.queues), queue)
        deadline = Deadline.after(_CONSUMERS_SECONDS)
        seen = start_consuming(deployment.fleet, deadline, queue, nodes)
        if not seen.verified:
            left = ", ".join((*seen.otherwise, *(f"{name} (unknown)" for name in seen.unknown)))
            return Outcome(verified=False, detail=f"{left} do not consume {queue}.")
    said = f"{', '.join(target.queues)}: consumed again by {counted(len(nodes), 'worker')}"
    return Outcome(verified=True, detail=said)


PARTIAL = (
    Step(
        name="revoke stuck",
        does="the stuck tasks listed below are revoked, and stopped with SIGTERM",
        do=_revoke_stuck,
    ),
    Step(
        name="agent idle",
        does="the agent's state is set to idle, unless its task runs and is not stuck",
        do=_agent,
    ),
    Step(
        name="resume consumers",
        does="every worker is told to take from the queues that nobody consumes, except paused ones",
        do=_resume,
    ),
)
