"""How many tasks of one kind a worker may start in a time.

Celery's limit is for each worker by itself, is gone after a restart, and can't be read back: each worker's own word is
all there is. A limit of 0 means none at all. What waits for its turn stays with the worker and takes places of its
prefetch, so a very low limit holds up the tasks of other names too: it is no way to pause a task.
"""

from collections.abc import Sequence

from knowledge_base_agent.fleet.deadline import Deadline
from knowledge_base_agent.fleet.fleet import Fleet
from knowledge_base_agent.fleet.telling import Told, tell


def limit_rate(
    fleet: Fleet, deadline: Deadline, task: str, rate: str, nodes: Sequence[str]
) -> Told:
    """Tell these workers to start at most so many of a task: `10/s`, `10/m`, `10/h`; `0` takes the limit away.

    A worker that does not know the task refuses. Raises `Away` without a broker, or when `nodes` is empty.
    """
    return tell(fleet, deadline, "rate_limit", nodes, task_name=task, rate_limit=rate)
