"""What the steps of a reset look at: who is there, what they hold, which queues are ours to empty."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from knowledge_base_agent.fleet.deadline import Deadline
from knowledge_base_agent.fleet.discovery import Origin
from knowledge_base_agent.fleet.held import not_listed
from knowledge_base_agent.fleet.question import Question
from knowledge_base_agent.fleet.queue_views import QueuesView
from knowledge_base_agent.fleet.views import FleetView, Place
from knowledge_base_agent.fleet.worker_words import LOOK
from knowledge_base_agent.operations.headcount import headcount
from knowledge_base_agent.operations.reset_runbook import ResetTarget
from knowledge_base_agent.problems import Refused
from knowledge_base_agent.redaction import plain

if TYPE_CHECKING:
    from knowledge_base_agent.deployment import Deployment

LOOK_SECONDS = 2.0
_ALL = 100_000
_ASK_SECONDS = 10.0


def everyone(deployment: "Deployment", target: ResetTarget) -> tuple[FleetView, tuple[str, ...]]:
    """Return a fresh look and the workers to tell. Raises `Refused` if one is silent or new, and `Away`."""
    view = deployment.fleet.workers.look(Deadline.after(LOOK_SECONDS), fresh=True)
    if view.complete is False:
        missing = ", ".join(plain(name, 80) for name in view.silent) or "names unknown"
        raise Refused(
            f"{headcount(view)} ({missing}), and what the others hold can't be told.",
            "Wake or end the silent ones, then go on.",
        )
    nodes = deployment.fleet.tellable(view)
    joined = sorted(set(nodes) - set(target.nodes))
    if joined:
        raise Refused(
            f"{', '.join(plain(name, 80) for name in joined)} joined after the preview.",
            "Stop whatever starts workers (a supervisor, an autoscaler), then go on.",
        )
    return view, nodes


def all_held(deployment: "Deployment", view: FleetView) -> frozenset[str]:
    """Return the ids of every task that our workers hold. Raises `Refused` if some are counted and not named."""
    ours = [worker for worker in view.workers if worker.ours is not False]
    listed = frozenset(task.id for worker in ours for task in worker.held)
    if not not_listed(view):
        return listed
    question = Question(
        command=LOOK,
        arguments={"arguments": False, "limit": _ALL},
        destination=tuple(sorted({worker.name for worker in ours})),
    )
    answers = deployment.fleet.broadcaster.ask(Deadline.after(_ASK_SECONDS), question)
    named = listed | frozenset(one for reply in answers.replies for one in _ids(reply.body))
    counted = sum(worker.busy + worker.waiting + worker.postponed for worker in ours)
    if len(named) < counted:
        raise Refused(
            f"The workers hold {counted} tasks and named {len(named)} of them.",
            "Let these workers import knowledge_base_agent.fleet.worker_commands, or end them by hand.",
        )
    return named


def _ids(body: Any) -> Iterator[str]:
    for place in Place:
        rows = body.get(place) if isinstance(body, dict) else None
        for row in rows if isinstance(rows, list) else []:
            if isinstance(row, list) and row:
                yield str(row[0])


def our_queues(view: FleetView, queues: QueuesView) -> tuple[str, ...]:
    """Return the queues of our app: those that only another app's workers consume are left alone."""
    foreign = {
        name for worker in view.workers if worker.ours is False for name in worker.queues or ()
    }
    ours = {
        name for worker in view.workers if worker.ours is not False for name in worker.queues or ()
    }
    return tuple(
        queue.name
        for queue in queues.queues
        if Origin.SETTINGS in queue.origins or queue.name in ours or queue.name not in foreign
    )
