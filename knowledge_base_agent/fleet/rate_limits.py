"""How many tasks of one kind a worker may start in a time.

Celery's limit is for each worker by itself and gone after a restart; what it is at present is in a worker's list of
registered tasks (`inspect registered`, attribute `rate_limit`). A limit of 0 means none at all. What
waits for its turn stays with the worker and takes places of its prefetch, so a very low limit holds up the
tasks of other names too: it is no way to pause a task.
"""

import re
from collections.abc import Sequence
from typing import Final

from knowledge_base_agent.fleet.deadline import Deadline
from knowledge_base_agent.fleet.fleet import Fleet
from knowledge_base_agent.fleet.question import Question
from knowledge_base_agent.fleet.telling import Told, tell

NO_LIMIT: Final = "0"
_LIMIT: Final = re.compile(r"rate_limit=([^ \]]+)")


def limit_rate(
    fleet: Fleet, deadline: Deadline, task: str, rate: str, nodes: Sequence[str]
) -> Told:
    """Tell these workers to start at most so many of a task: `10/s`, `10/m`, `10/h`; `0` takes the limit away.

    A worker that does not know the task refuses. Raises `Away` without a broker, or when `nodes` is empty.
    """
    return tell(fleet, deadline, "rate_limit", nodes, task_name=task, rate_limit=rate)


def rates_of(fleet: Fleet, deadline: Deadline, task: str) -> dict[str, str]:
    """Return the limit of a task on each worker that answers and knows it: `10/m`, or `NO_LIMIT`.

    Raises `Away` without a broker.
    """
    question = Question(command="registered", arguments={"taskinfoitems": ["rate_limit"]})
    found: dict[str, str] = {}
    for reply in fleet.broadcaster.ask(deadline, question).replies:
        for line in reply.body if isinstance(reply.body, list) else ():
            name, _, more = str(line).partition(" ")
            if name == task:
                limit = _LIMIT.search(more)
                found[reply.worker] = limit[1] if limit and limit[1] != "None" else NO_LIMIT
    return found
