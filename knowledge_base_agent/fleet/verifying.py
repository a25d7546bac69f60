"""Looking again after a revoke: did the task stop, where does it still run, and what can't be told."""

import threading
from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

from knowledge_base_agent.fleet.deadline import Deadline
from knowledge_base_agent.fleet.views import FleetView, HeldTask, Place, Pool, WorkerView
from knowledge_base_agent.fleet.workers import Workers

IGNORED_AFTER = 5.0
"""Seconds after which a process that still has the task is said to ignore the signal."""
_LOOK_EVERY = 0.25
_LOOK_AT_LEAST = 0.25
"""Seconds that a look is given: one with less would end as that of a silent broker, and take the verdict with it."""


class Fate(StrEnum):
    """What has become of a task that was told to stop."""

    STOPPED = "stopped"
    """No worker has it, and nothing runs for it any longer."""
    RUNNING = "running"
    """A process still works on it, listed or not."""
    WILL_BE_DROPPED = "will be dropped"
    """A worker has it waiting, and knows that it is revoked: it won't be run by that one."""
    UNKNOWN = "unknown"
    """The worker that had it does not answer, or can't tell."""


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What was seen of one task."""

    id: str
    fate: Fate
    worker: str | None
    process: int | None
    """The process that ran it."""
    ignores_signal: bool
    """Whether its process was still at it 5 s later: only a SIGKILL will do."""
    why: str
    """One sentence."""


def verify_stopped(
    deadline: Deadline, workers: Workers, ids: Collection[str], before: FleetView
) -> dict[str, Verdict]:
    """Look until every id has stopped or is dropped, or the deadline passes; return the last verdict of each.

    `before` is a look from before the revoke: it says which process had which task. A task that no worker had in
    `before` and that none has now is STOPPED only if everyone answered. Raises `Away` without a broker.
    """
    had = {task.id: task for task in before.held if task.id in ids}
    began = Deadline.after(IGNORED_AFTER)
    pause = threading.Event()
    while True:
        now = workers.look(deadline.at_most(2.0), ids=ids, fresh=True)
        verdicts = {one: _verdict(one, had.get(one), now, late=began.expired) for one in ids}
        settled = all(v.fate in (Fate.STOPPED, Fate.WILL_BE_DROPPED) for v in verdicts.values())
        ignored = began.expired and all(v.fate is not Fate.UNKNOWN for v in verdicts.values())
        if settled or ignored or deadline.remaining() < _LOOK_EVERY + _LOOK_AT_LEAST:
            return verdicts
        pause.wait(_LOOK_EVERY)


def _verdict(one: str, had: HeldTask | None, now: FleetView, *, late: bool) -> Verdict:
    held = [task for task in now.held if task.id == one]
    running = [task for task in held if task.place is Place.ACTIVE]
    if running:
        task = running[0]
        why = f"It still runs on {task.worker}, {_what_runs(task, now)}."
        return _say(one, Fate.RUNNING, why, task, late=late and _killable(task, now))
    if had is not None and had.place is Place.ACTIVE:
        return _after_running(one, had, now, late=late)
    if held:
        return _while_waiting(one, held[0], now)
    if now.complete is False or (now.complete is None and had is None):
        why = "No worker that answered has it, but not every worker answered."
        return _say(one, Fate.UNKNOWN, why, had)
    return _say(one, Fate.STOPPED, "No worker has it.", had)


def _after_running(one: str, had: HeldTask, now: FleetView, *, late: bool) -> Verdict:
    """Judge a task that ran before and is listed as active no more: revoked tasks vanish from the list at once."""
    worker = next((worker for worker in now.workers if worker.name == had.worker), None)
    if worker is None:
        if had.worker in now.silent or now.complete is not True:
            return _say(one, Fate.UNKNOWN, f"{had.worker}, which ran it, does not answer.", had)
        why = f"{had.worker}, which ran it, is gone; what it had begun may still finish."
        return _say(one, Fate.UNKNOWN, why, had)
    alive = _still_at_it(worker, had)
    runs, late = _what_runs(had, now), late and _killable(had, now)
    if alive is None:
        why = f"{had.worker} no longer lists it, but {runs} may still be at it."
        return _say(one, Fate.UNKNOWN, why, had, late=late)
    if alive:
        why = f"{had.worker} no longer lists it, but {runs} is still at it."
        if worker.pool is Pool.GEVENT:
            why += " Its code holds on to what was to end it: only the end of its worker will."
        return _say(one, Fate.RUNNING, why, had, late=late)
    return _say(one, Fate.STOPPED, f"{had.worker} no longer runs it.", had)


def _still_at_it(worker: WorkerView, had: HeldTask) -> bool | None:
    """Tell whether the process that had the task is still busy with it; None if this worker can't tell."""
    if worker.pool is Pool.OTHER:
        return None
    if worker.pool not in (Pool.PREFORK, Pool.GEVENT):
        return False  # these refuse to stop a task, and so list it until it has ended
    if worker.pool is Pool.GEVENT:
        if any(task.process == had.process for task in worker.active):
            return False  # the number of a greenlet that has ended is given out again
        return None if worker.occupied is None else had.process in worker.occupied
    if had.process is None or worker.processes is None:
        return None
    if had.process not in worker.processes:
        return False
    if any(task.process == had.process for task in worker.active):
        return False  # it has moved on to another task
    return None if worker.occupied is None else had.process in worker.occupied


def _pool_of(task: HeldTask, now: FleetView) -> Pool:
    return next((w.pool for w in now.workers if w.name == task.worker), Pool.OTHER)


def _what_runs(task: HeldTask, now: FleetView) -> str:
    return f"{'greenlet' if _pool_of(task, now) is Pool.GEVENT else 'process'} {task.process}"


def _killable(task: HeldTask, now: FleetView) -> bool:
    """Tell whether a task has a process of its own, which a SIGKILL would end."""
    return _pool_of(task, now) is Pool.PREFORK


def _while_waiting(one: str, held: HeldTask, now: FleetView) -> Verdict:
    worker = next(worker for worker in now.workers if worker.name == held.worker)
    if worker.flagged is not None and one in worker.flagged:
        why = f"{held.worker} has it {held.place} and will drop it."
        return _say(one, Fate.WILL_BE_DROPPED, why, held)
    why = f"{held.worker} has it {held.place}; whether it will drop it is not known."
    return _say(one, Fate.UNKNOWN, why, held)


def _say(one: str, fate: Fate, why: str, task: HeldTask | None, *, late: bool = False) -> Verdict:
    return Verdict(
        id=one,
        fate=fate,
        worker=task.worker if task else None,
        process=task.process if task else None,
        ignores_signal=late and fate is not Fate.STOPPED,
        why=why,
    )
