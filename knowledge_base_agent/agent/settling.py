"""Documents whose task ended without saying so: killed at its time limit, with its worker, or revoked."""

from celery import Celery, states

from knowledge_base_agent.agent.build import RUNNING
from knowledge_base_agent.agent.builds import Builds

_ASKED_AT_ONCE = 200
"""Waiting tasks that one pass asks about; those at work are all asked, and are never more than there are slots."""
_SAID = {
    states.REVOKED: "its task was revoked",
    states.FAILURE: "its task was killed",
}


def settle(app: Celery, builds: Builds, build_id: str) -> int:
    """Write the end of each document whose task has one in the result backend; return how many are left.

    Results are kept for an hour, and `run_agent` asks four times a minute. What leaves no result at all (a purged
    message, a host that lost its power) is given up when nothing has moved for longer than a document may take.
    """
    left = builds.left(build_id)
    waiting = 0
    for item in left:
        if item.state != RUNNING:
            waiting += 1
            if waiting > _ASKED_AT_ONCE:
                continue
        state = app.AsyncResult(item.task_id).state
        if state == states.SUCCESS:
            builds.done(build_id, item.location)
        elif state in _SAID:
            builds.failed_unsaid(build_id, item.location, _why(app, item.task_id, state))
    build = builds.find(build_id)
    if build is not None and builds.is_lost(build):
        builds.give_up(build_id, "no end of its task was seen: its message or its worker is gone")
    return len(builds.left(build_id))


def _why(app: Celery, task_id: str, state: str) -> str:
    result = app.AsyncResult(task_id).result
    if state == states.FAILURE and isinstance(result, BaseException):
        return f"{type(result).__name__}: {result}"
    return _SAID[state]
