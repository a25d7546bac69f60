"""Keeping what people want to last: paused queues stay paused, and revoked tasks revoked, whichever workers come.

A worker that joins or restarts knows nothing of either. So whoever runs for long (the bot) calls `keep` every few
seconds: it compares who is there with who has been told, tells the rest, and ends pauses whose time is over. All of it
may be done by several bots at once and again: telling a worker twice changes nothing.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from knowledge_base_agent.actors import Actor, Surface
from knowledge_base_agent.audit import Kind, entry_of, write
from knowledge_base_agent.clock import utc_now
from knowledge_base_agent.deployment import Deployment
from knowledge_base_agent.fleet.consuming import start_consuming, stop_consuming
from knowledge_base_agent.fleet.deadline import Deadline
from knowledge_base_agent.fleet.views import FleetView, WorkerView
from knowledge_base_agent.operations.undo_list import free_what_is_over
from knowledge_base_agent.records.database import reading, writing
from knowledge_base_agent.records.pauses import (
    Pause,
    all_pauses,
    back_again,
    end_pause,
    stopped_too,
)
from knowledge_base_agent.records.revoked_tasks import (
    RevokedTask,
    newest_unsettled,
    settle,
    unsettled,
)
from knowledge_base_agent.records.task_pauses import all_task_pauses
from knowledge_base_agent.task_keeping import keep_task_pause
from knowledge_base_agent.wording import counted

KEEPER = Actor(id="bot", name="the bot", surface=Surface.SCHEDULE)
TELL_AGAIN = timedelta(hours=2)
"""A worker forgets a revoked id after three hours (Celery's default), even while it runs."""
_SETTLE_EVERY = timedelta(minutes=1)
_FREE_EVERY = timedelta(minutes=1)
_FREE_SECONDS = 2.0
"""Seconds of one round for what is to be freed: millions of rows take minutes, for which a worker that joins would take
from a paused queue."""
_LOOK_SECONDS = 1.5
_TELL_SECONDS = 4.0
_REVOKE_SECONDS = 30.0

Incarnation = tuple[str, int | None]
"""A worker by name and process id: after a restart it is another one."""


@dataclass(frozen=True, kw_only=True)
class _Told:
    up_to: datetime
    """The newest revoke that it was told."""
    at: datetime
    """When it was told all of them."""


@dataclass(kw_only=True)
class Keeper:
    """Remembers, in memory alone, which worker was told what; a new one tells everyone once more."""

    deployment: Deployment
    free_seconds: float = _FREE_SECONDS
    _told: dict[Incarnation, _Told] = field(default_factory=dict)
    _settled_at: datetime | None = None
    _freed_at: datetime | None = None
    _freeing: Iterator[str | None] | None = None
    """What is being freed: the next round goes on with it."""

    def keep(self) -> tuple[str, ...]:
        """Do what is due, and return what was done, in sentences for the log. Asks no worker when nothing is kept.

        Blocks for some seconds at most, except while thousands of revoked ids are told. Raises `Away` when the database
        or the broker does not answer; the next call goes on from there.
        """
        return (*self._free(), *self._keep_told())

    def _free(self) -> tuple[str, ...]:
        now = utc_now()
        if self._freeing is None:
            if self._freed_at is not None and now - self._freed_at < _FREE_EVERY:
                return ()
            self._freed_at, self._freeing = now, free_what_is_over(self.deployment)
        until, done = Deadline.after(self.free_seconds), list[str]()
        for freed in self._freeing:
            if freed is not None:
                done.append(freed)
            if until.expired:
                return tuple(done)
        self._freeing = None
        return tuple(done)

    def _keep_told(self) -> tuple[str, ...]:
        with reading(self.deployment.engine) as connection:
            pauses = all_pauses(connection)
            tasks = all_task_pauses(connection)
            newest = newest_unsettled(connection)
        if not pauses and not tasks and newest is None:
            return ()
        view = self.deployment.fleet.workers.look(Deadline.after(_LOOK_SECONDS), fresh=True)
        done = [said for pause in pauses for said in self._keep_pause(pause, view)]
        for task in tasks:
            done += keep_task_pause(self.deployment, task, view, KEEPER)
        if newest is not None:
            done += self._keep_revoked(view, newest)
        return tuple(done)

    def _keep_pause(self, pause: Pause, view: FleetView) -> Iterator[str]:
        now = utc_now()
        if pause.lasts and pause.until is not None and pause.until <= now:
            with writing(self.deployment.engine) as connection:
                ended = end_pause(connection, pause.queue, at=now, by=KEEPER.name)
                if ended is None:
                    return  # somebody else ended it in this very moment
                detail = f"the pause of {pause.queue} by {pause.by} is over"
                write(connection, entry_of(KEEPER, Kind.ENDED, "resume", detail=detail))
            yield detail
            yield from self._resume(pause, view)
        elif pause.lasts:
            yield from self._hold(pause, view)
        else:
            yield from self._resume(pause, view)

    def _hold(self, pause: Pause, view: FleetView) -> Iterator[str]:
        taking = [one.name for one in _ours(view) if pause.queue in (one.queues or ())]
        if not taking:
            return
        with writing(self.deployment.engine) as connection:
            stopped_too(connection, pause.queue, taking)
        outcome = stop_consuming(
            self.deployment.fleet, Deadline.after(_TELL_SECONDS), pause.queue, taking
        )
        for name in outcome.as_wanted:
            yield f"{name} was told that {pause.queue} is paused, and leaves it alone"

    def _resume(self, pause: Pause, view: FleetView) -> Iterator[str]:
        there = sorted({one.name for one in _ours(view)} & set(pause.workers))
        back: tuple[str, ...] = ()
        if there:
            outcome = start_consuming(
                self.deployment.fleet, Deadline.after(_TELL_SECONDS), pause.queue, there
            )
            back = outcome.as_wanted
        gone = set(pause.workers) - set(there) if view.complete else set()
        with writing(self.deployment.engine) as connection:
            back_again(connection, pause.queue, [*back, *gone])
        for name in back:
            yield f"{name} takes from {pause.queue} again"

    def _keep_revoked(self, view: FleetView, newest: datetime) -> Iterator[str]:
        now = utc_now()
        if self._settled_at is None or now - self._settled_at > _SETTLE_EVERY:
            with writing(self.deployment.engine) as connection:
                settle(connection, now)
            self._settled_at = now
        here = {(one.name, one.pid): one for one in _ours(view)}
        # Who left is forgotten, except where its silence hides whether it did.
        if view.complete:
            self._told = {one: told for one, told in self._told.items() if one in here}
        untold = [one for one in here if self._due(one, newest, now)]
        if not untold:
            return
        with reading(self.deployment.engine) as connection:
            tasks = unsettled(connection)
        for one in untold:
            yield from self._tell(one, tasks, newest, now)

    def _due(self, one: Incarnation, newest: datetime, now: datetime) -> bool:
        told = self._told.get(one)
        return told is None or told.up_to < newest or now - told.at > TELL_AGAIN

    def _tell(
        self, one: Incarnation, tasks: tuple[RevokedTask, ...], newest: datetime, now: datetime
    ) -> Iterator[str]:
        told = self._told.get(one)
        everything = told is None or now - told.at > TELL_AGAIN
        due = [task for task in tasks if everything or told is None or task.at > told.up_to]
        name = one[0]
        if all(self._revoke(name, due, terminate=stops) for stops in (False, True)):
            at = now if everything or told is None else told.at
            self._told[one] = _Told(up_to=newest, at=at)
            if due and told is None:
                yield f"{name} joined, and was told of {counted(len(due), 'revoked task')}"

    def _revoke(self, worker: str, tasks: list[RevokedTask], *, terminate: bool) -> bool:
        """Tell a worker, and return whether it said yes to all of it."""
        ids = [task.id for task in tasks if task.terminate is terminate]
        if not ids:
            return True
        outcome = self.deployment.fleet.revoke(
            Deadline.after(_REVOKE_SECONDS), ids, destination=(worker,), terminate=terminate
        )
        return len(outcome.sent) == len(ids) and not outcome.refusals and not outcome.silent


def _ours(view: FleetView) -> tuple[WorkerView, ...]:
    return tuple(worker for worker in view.workers if worker.ours is not False)
