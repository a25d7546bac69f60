"""The complete reset, in the one order that was seen to leave nothing to run (36 of 37 tasks ran in the guide's)."""

import threading
from typing import TYPE_CHECKING

from knowledge_base_agent.clock import utc_now
from knowledge_base_agent.fleet.consuming import consumers_of, stop_consuming
from knowledge_base_agent.fleet.deadline import Deadline
from knowledge_base_agent.fleet.queue_views import QueuesView
from knowledge_base_agent.fleet.shutting_down import End, shut_down
from knowledge_base_agent.operations.clear_unfinished import broken_off, unfinished
from knowledge_base_agent.operations.flush import FLUSH, FlushTarget
from knowledge_base_agent.operations.operation import Progress, given
from knowledge_base_agent.operations.parked_messages import DROP_ASIDE
from knowledge_base_agent.operations.reset_idle import AGENT_IDLE
from knowledge_base_agent.operations.reset_looking import LOOK_SECONDS, all_held, everyone
from knowledge_base_agent.operations.reset_revoking import revoke_all
from knowledge_base_agent.operations.reset_runbook import Outcome, ResetTarget, Step
from knowledge_base_agent.operations.undo_messages import purge_undoably
from knowledge_base_agent.operations.undo_rows import removing_rows
from knowledge_base_agent.records.clearing import how_many_to_clear
from knowledge_base_agent.records.database import reading_one_moment
from knowledge_base_agent.records.states import STATES
from knowledge_base_agent.wording import counted, duration

if TYPE_CHECKING:
    from knowledge_base_agent.deployment import Deployment

_CONSUMERS_SECONDS = 10.0
_PURGE_SECONDS = 60.0
_DRAIN_SECONDS = 30.0
_SETTLE_SECONDS = 15.0
_STEADY_SECONDS = 3.0
"""For how long nothing may change before what is left is taken to stay."""
_ROWS_SECONDS = 5.0
_EVERY = 0.5


def _stop_consuming(deployment: "Deployment", target: ResetTarget, progress: Progress) -> Outcome:
    view, nodes = everyone(deployment, target)
    queues = sorted({q for w in view.workers if w.name in nodes for q in w.queues or ()})
    for number, queue in enumerate(queues):
        progress(number, len(queues), queue)
        consumers = [name for name in consumers_of(view, queue) if name in nodes]
        deadline = Deadline.after(_CONSUMERS_SECONDS)
        seen = stop_consuming(deployment.fleet, deadline, queue, consumers)
        if not seen.verified:
            left = ", ".join((*seen.otherwise, *(f"{name} (unknown)" for name in seen.unknown)))
            return Outcome(verified=False, detail=f"{left} still consume {queue}.")
    if not queues:
        return Outcome(verified=True, detail="no worker consumes anything")
    said = f"{counted(len(nodes), 'worker')} stopped taking from {', '.join(queues)}"
    return Outcome(verified=True, detail=said)


def _revoke(deployment: "Deployment", target: ResetTarget, progress: Progress) -> Outcome:
    told: frozenset[str] = frozenset()
    while True:
        view, nodes = everyone(deployment, target)
        fresh = all_held(deployment, view) - told
        if not fresh:
            break
        # What was on its way to a worker when it stopped consuming shows a moment later: hence the loop.
        stopped = revoke_all(deployment, nodes, fresh, progress)
        if not stopped.verified:
            return Outcome(verified=False, detail=stopped.detail)
        told |= fresh
    said = f"{counted(len(told), 'task')} revoked; none of them runs, nor will it here"
    return Outcome(verified=True, detail=said if told else "no worker holds any task")


def _purge(deployment: "Deployment", target: ResetTarget, progress: Progress) -> Outcome:
    emptied = purge_undoably(
        deployment,
        Deadline.after(_PURGE_SECONDS),
        target.queues,
        progress=progress,
        no_undo=target.no_undo,
    )
    trouble = [f"{one.queue}: {one.problem}" for one in emptied if one.problem]
    if trouble:
        return Outcome(verified=False, detail=" ".join(trouble))
    removed = sum(one.removed or 0 for one in emptied)
    left = _ready(_depths(deployment), target)
    if left is None or left:
        what = "an unknown number" if left is None else f"{left:,}"
        why = f"removed {removed:,}, and {what} wait again: somebody still publishes."
        return Outcome(verified=False, detail=why)
    said = f"{counted(removed, 'message')} removed from {counted(len(emptied), 'queue')}"
    return Outcome(verified=True, detail=said)


def _depths(deployment: "Deployment") -> QueuesView:
    view = deployment.fleet.workers.look(Deadline.after(LOOK_SECONDS), fresh=True)
    return deployment.fleet.queues.depths(Deadline.after(LOOK_SECONDS), view)


def _ready(queues: QueuesView, target: ResetTarget) -> int | None:
    ready = [queue.ready for queue in queues.queues if queue.name in target.queues]
    return None if None in ready else sum(one or 0 for one in ready)


def _unacked(queues: QueuesView, target: ResetTarget) -> int | None:
    """Return how many of our messages are unacknowledged; of all apps where they can't be told apart."""
    ours = [queue.unacked for queue in queues.queues if queue.name in target.queues]
    return queues.unacked_total if None in ours else sum(one or 0 for one in ours)


def _shut_down(deployment: "Deployment", target: ResetTarget, progress: Progress) -> Outcome:
    _, nodes = everyone(deployment, target)
    if not nodes:
        return Outcome(verified=True, detail="no worker listens")
    ends = shut_down(
        deployment.fleet,
        nodes,
        drain=Deadline.after(_DRAIN_SECONDS),
        told=lambda idle, total: progress(idle, total, "idle"),
    )
    left = [f"{one.worker} ({one.end})" for one in ends if one.end is not End.GONE]
    if left:
        return Outcome(verified=False, detail=f"Not seen to be gone: {', '.join(left)}.")
    return Outcome(verified=True, detail=f"gone: {', '.join(one.worker for one in ends)}")


def _purge_again(deployment: "Deployment", target: ResetTarget, progress: Progress) -> Outcome:
    _, nodes = everyone(deployment, target)
    if nodes:
        back = f"{', '.join(nodes)} came back: stop what starts workers first."
        return Outcome(verified=False, detail=back)
    removed, queues = _emptied(deployment, target, progress)
    ready, unacked = _ready(queues, target), _unacked(queues, target)
    if ready == 0 and not unacked:
        told = (
            "none unacknowledged"
            if unacked == 0
            else f"what was unacknowledged would have come back within {_STEADY_SECONDS:g} s"
        )
        said = f"{counted(removed, 'message')} more removed; {told}"
        return Outcome(verified=True, detail=said)
    return Outcome(verified=False, detail=_left_over(queues, ready, unacked))


def _emptied(
    deployment: "Deployment", target: ResetTarget, progress: Progress
) -> tuple[int, QueuesView]:
    """Purge until nothing is left, or nothing has changed for a while; return how many went and the last look."""
    deadline, pause = Deadline.after(_SETTLE_SECONDS), threading.Event()
    steady, before = Deadline.after(_STEADY_SECONDS), None
    removed = 0
    while True:
        # A worker that ends puts what it held back into its queue, a moment after it was last heard.
        within = Deadline.after(_PURGE_SECONDS)
        done = purge_undoably(deployment, within, target.queues, no_undo=target.no_undo)
        removed += sum(one.removed or 0 for one in done)
        queues = _depths(deployment)
        ready, unacked = _ready(queues, target), _unacked(queues, target)
        if (removed, ready, unacked) != before:
            steady, before = Deadline.after(_STEADY_SECONDS), (removed, ready, unacked)
        progress(removed, None, "removed")
        # A broker that does not tell what is unacknowledged (RabbitMQ) is watched for a while instead.
        if (ready == 0 and unacked == 0) or deadline.expired or steady.expired:
            return removed, queues
        pause.wait(_EVERY)


def _left_over(queues: QueuesView, ready: int | None, unacked: int | None) -> str:
    if not unacked:
        return f"{counted(ready, 'message')} wait again: somebody still publishes."
    after = duration(queues.visibility_timeout) if queues.visibility_timeout else "a while"
    return (
        f"{counted(unacked, 'message')}, of workers that were killed, are still unacknowledged. They come back to "
        f"their queue {after} after they were taken, once any worker runs on this broker: purge again then."
    )


def _clear_rows(deployment: "Deployment", target: ResetTarget, progress: Progress) -> Outcome:
    deadline, pause = Deadline.after(_ROWS_SECONDS), threading.Event()
    before_that = unfinished(deployment, broken_off(deployment))
    with removing_rows(deployment, no_undo=target.no_undo) as rows:
        finished = before_that.finish(deployment, rows.behind, progress)
        while True:
            # The recorder may still write what happened a moment ago, so it is looked at again.
            cutoff, before = utc_now(), rows.number
            told = lambda done, before=before: progress(before + done, None, "rows")  # noqa: E731
            gone = rows.clear(states=STATES, cutoff=cutoff, told=told)
            with reading_one_moment(deployment.engine) as connection:
                left = how_many_to_clear(connection, STATES, cutoff)
            if (left == 0 and not gone) or deadline.expired:
                break
            pause.wait(_EVERY)
    notes = [*rows.behind.notes(), *(one.text for one in finished)]
    said = " ".join([f"{counted(rows.number, 'row')} removed, {left:,} left.", *notes])
    return Outcome(verified=left == 0, detail=said)


def _flush(deployment: "Deployment", target: ResetTarget, progress: Progress) -> Outcome:
    every = FlushTarget(everything=True, previewed_at=utc_now(), no_undo=target.no_undo)
    report = given(FLUSH.run)(deployment, every, progress)
    return Outcome(verified=report.succeeded, detail=report.text)


COMPLETE = (
    Step(
        name="stop consuming",
        does="every worker is told to take nothing more from its queues",
        do=_stop_consuming,
    ),
    Step(
        name="revoke",
        does="every task that a worker runs, took in advance or keeps for later is revoked; those that run are "
        "stopped with SIGTERM",
        do=_revoke,
    ),
    Step(name="purge", does="every message that waits in a queue is removed", do=_purge),
    Step(
        name="shut down",
        does="every worker is shut down by its name, and awaited",
        do=_shut_down,
    ),
    Step(
        name="purge again",
        does="what the workers gave back is removed, and none may be left unacknowledged",
        do=_purge_again,
    ),
    DROP_ASIDE,
    Step(
        name="clear rows",
        does="every row of the history is removed, and the results of its tasks",
        do=_clear_rows,
    ),
    Step(
        name="flush",
        does="every progress and log key is removed; the history stream stays",
        do=_flush,
    ),
    AGENT_IDLE,
)
