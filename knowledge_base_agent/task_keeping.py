"""Keeping paused tasks paused, whichever workers come, and bringing back what was set aside once a pause is over."""

from collections.abc import Iterator

from knowledge_base_agent.actors import Actor
from knowledge_base_agent.audit import Kind, entry_of
from knowledge_base_agent.clock import utc_now
from knowledge_base_agent.deployment import Deployment
from knowledge_base_agent.fleet.deadline import Deadline
from knowledge_base_agent.fleet.task_pausing import change_task
from knowledge_base_agent.fleet.views import FleetView
from knowledge_base_agent.records.database import writing
from knowledge_base_agent.records.task_pauses import TaskPause, all_back, end_task_pause
from knowledge_base_agent.wording import counted

_TELL_SECONDS = 4.0
_BACK_SECONDS = 30.0


def keep_task_pause(
    deployment: Deployment, pause: TaskPause, view: FleetView, keeper: Actor
) -> Iterator[str]:
    """Do what is due for one pause, and yield what was done. Raises `Away`; the next call goes on from there."""
    now = utc_now()
    if pause.lasts and pause.until is not None and pause.until <= now:
        with writing(deployment.engine) as connection:
            ended = end_task_pause(connection, pause.task, at=now, by=keeper.name)
        if ended is None:
            return  # somebody else ended it in this very moment
        detail = f"the pause of {pause.task} by {pause.by} is over"
        deployment.spool.add(entry_of(keeper, Kind.ENDED, "resume", detail=detail))
        yield detail
        yield from _end(deployment, pause, view)
    elif pause.lasts:
        names = _names(view, pause.task, paused=False)
        yield from _tell(deployment, pause.task, names, pause=True)
    else:
        yield from _end(deployment, pause, view)


def _end(deployment: Deployment, pause: TaskPause, view: FleetView) -> Iterator[str]:
    names = _names(view, pause.task, paused=True)
    yield from _tell(deployment, pause.task, names, pause=False)
    back = deployment.fleet.parking.bring_back(Deadline.after(_BACK_SECONDS), pause.task)
    if back.total:
        yield f"{counted(back.total, 'message')} of {pause.task} went back to where they came from"
    # Who is silent may still set some aside: the row stays until nobody can.
    if back.left == 0 and view.complete and not names:
        with writing(deployment.engine) as connection:
            all_back(connection, pause.task)


def _tell(deployment: Deployment, task: str, names: list[str], *, pause: bool) -> Iterator[str]:
    if not names:
        return
    outcome = change_task(deployment.fleet, Deadline.after(_TELL_SECONDS), task, names, pause=pause)
    for name in outcome.as_wanted:
        what = "paused, and sets it aside" if pause else "resumed, and handles it as ever"
        yield f"{name} was told that {task} is {what}"


def _names(view: FleetView, task: str, *, paused: bool) -> list[str]:
    """Return the workers that can be told and say that they do, or do not, set this task aside."""
    return sorted(
        {
            worker.name
            for worker in view.workers
            if worker.ours is not False
            and worker.paused is not None
            and (task in worker.paused) is paused
        }
    )
