"""What a pause can be of: a queue that exists. Tasks are refused, because no worker can be made to leave one aside."""

import difflib
import shlex
from typing import TYPE_CHECKING

from knowledge_base_agent.fleet.queue_views import QueuesView
from knowledge_base_agent.problems import Misunderstood, NotFound
from knowledge_base_agent.redaction import plain

if TYPE_CHECKING:
    from knowledge_base_agent.deployment import Deployment


def queue_to_pause(deployment: "Deployment", queues: QueuesView, subject: str) -> str:
    """Return the queue that is meant. Raises `Misunderstood` for a task's name, `NotFound` for what is neither."""
    names = [queue.name for queue in queues.queues]
    if subject in names:
        return subject
    tasks = [name for name in deployment.app.tasks if not name.startswith("celery.")]
    if subject in tasks:
        raise _no_tasks(deployment, subject)
    close = difflib.get_close_matches(subject, [*names, *tasks], n=1, cutoff=0.5)
    meant = f"Did you mean {plain(close[0], 80)}? " if close else ""
    listed = ", ".join(plain(name, 60) for name in names[:20]) or "none"
    raise NotFound(
        f"There is no queue and no task named “{plain(subject, 80)}”.",
        f"{meant}The queues are: {listed}.",
    )


def _no_tasks(deployment: "Deployment", task: str) -> Misunderstood:
    queue = deployment.app.amqp.router.route({}, task).get("queue")
    name = getattr(queue, "name", None) or str(queue or deployment.app.conf.task_default_queue)
    return Misunderstood(
        f"A single task can't be paused: for Celery a rate limit of 0 is no limit, and with a very low one the worker "
        f"goes on taking {plain(task, 80)} and holds it, until its places are full and other tasks stop too.",
        f"Pause its queue with `pause {plain(name, 80)}`, which stops every task in it, or slow the task down with "
        f"`workers rate-limit {plain(task, 80)} 1/m`.",
        suggestion=shlex.join(["pause", name]),
    )
