"""What can be paused: a queue that exists, or a task that the app or its workers know. Both means the queue."""

import difflib
from typing import TYPE_CHECKING

from knowledge_base_agent.fleet.deadline import Deadline
from knowledge_base_agent.fleet.queue_views import QueuesView
from knowledge_base_agent.fleet.registered import ask_registered, names_told
from knowledge_base_agent.problems import NotFound
from knowledge_base_agent.redaction import plain

if TYPE_CHECKING:
    from knowledge_base_agent.deployment import Deployment

_SECONDS = 1.5


def is_task(deployment: "Deployment", queues: QueuesView, subject: str) -> bool:
    """Tell whether a task is meant and not a queue. Raises `NotFound` for what is neither."""
    names = [queue.name for queue in queues.queues]
    if subject in names:
        return False
    known = set(deployment.app.tasks)
    if subject not in known:
        known |= names_told(ask_registered(deployment.fleet.broadcaster, Deadline.after(_SECONDS)))
    tasks = [name for name in sorted(known) if not name.startswith("celery.")]
    if subject in tasks:
        return True
    close = difflib.get_close_matches(subject, [*names, *tasks], n=1, cutoff=0.5)
    meant = f"Did you mean {plain(close[0], 80)}? " if close else ""
    listed = ", ".join(plain(name, 60) for name in names[:20]) or "none"
    raise NotFound(
        f"There is no queue and no task named “{plain(subject, 80)}”.",
        f"{meant}The queues are: {listed}.",
    )


def queue_of(deployment: "Deployment", task: str) -> str:
    """Return the queue that the app's settings send this task to."""
    queue = deployment.app.amqp.router.route({}, task).get("queue")
    name = getattr(queue, "name", None) or queue or deployment.app.conf.task_default_queue
    return str(name)
