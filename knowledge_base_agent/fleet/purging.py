"""Emptying queues: every message that waits, in each priority's list, removed and counted in one step.

What workers already hold (running, taken in advance, waiting for its time) is in no queue and stays: `held_by_queue`
says how much that is. Which queues there are comes from `Queues.depths`; a name that is not among them is refused by
`known_queue`, because an unknown queue is "purged" without a word while the real one stays full.
"""

import difflib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from celery import Celery

from knowledge_base_agent.fleet.asides import AsideList, put_aside
from knowledge_base_agent.fleet.away import away_if_down
from knowledge_base_agent.fleet.broadcast import SOURCE
from knowledge_base_agent.fleet.broker import Broker
from knowledge_base_agent.fleet.deadline import Deadline, within
from knowledge_base_agent.fleet.gate import Gate
from knowledge_base_agent.fleet.line import open_connection
from knowledge_base_agent.fleet.newest import End, came_behind, ends
from knowledge_base_agent.fleet.queue_views import QueuesView
from knowledge_base_agent.fleet.sampling import Sample, sample
from knowledge_base_agent.fleet.transaction import Command, transact
from knowledge_base_agent.fleet.views import FleetView, HeldTask, Place
from knowledge_base_agent.problems import Away, NotFound
from knowledge_base_agent.redaction import plain

_NOT_FOUND = 404
_CHECK_SECONDS = 2.0


@dataclass(frozen=True, kw_only=True)
class Emptied:
    """What came of emptying one queue."""

    queue: str
    removed: int | None
    """How many messages went, by the broker's own count. None: unconfirmed, it may have been emptied or not."""
    problem: str | None = None
    """Why it is unconfirmed, or why it was not tried."""
    tried: bool = True
    """False where an earlier trouble kept us from starting: nothing was removed."""


@dataclass(frozen=True, kw_only=True)
class Aside:
    """Where messages go that are to be had back: their lists, and until when (aware UTC) Redis keeps them at most."""

    lists: Sequence[AsideList]
    until: datetime


@dataclass(frozen=True, kw_only=True)
class HeldByQueue:
    """What workers hold of one queue, beyond the reach of a purge."""

    queue: str
    running: tuple[HeldTask, ...]
    reserved: tuple[HeldTask, ...]
    """Taken in advance, not started."""
    scheduled: tuple[HeldTask, ...]
    """Kept until their time."""

    @property
    def waiting(self) -> tuple[HeldTask, ...]:
        """Return those that have not started: they will run unless they are revoked."""
        return self.reserved + self.scheduled


def known_queue(queues: QueuesView, name: str) -> str:
    """Return the name if such a queue was found. Raises `NotFound` with what was probably meant."""
    names = [queue.name for queue in queues.queues]
    if name in names:
        return name
    close = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    listed = ", ".join(plain(one, 60) for one in names[:20]) or "none"
    meant = f"Did you mean {plain(close[0], 60)}? " if close else ""
    raise NotFound(
        f"There is no queue named “{plain(name, 60)}” in the settings, with the workers, or in the broker.",
        f"{meant}The queues are: {listed}.",
    )


def held_by_queue(view: FleetView, queues: Iterable[str]) -> dict[str, HeldByQueue]:
    """Return what the workers that answered hold of each queue, as far as they list it.

    Their lists are capped at 200 of each kind: `not_listed` tells how many more there are.
    """
    found: dict[str, dict[Place, list[HeldTask]]] = {
        name: {place: [] for place in Place} for name in queues
    }
    for task in view.held:
        if task.queue in found:
            found[task.queue][task.place].append(task)
    return {
        name: HeldByQueue(
            queue=name,
            running=tuple(places[Place.ACTIVE]),
            reserved=tuple(places[Place.RESERVED]),
            scheduled=tuple(places[Place.SCHEDULED]),
        )
        for name, places in found.items()
    }


def not_listed(view: FleetView) -> int:
    """Return how many held tasks, of any queue, the workers count and did not list."""
    counted = sum(worker.waiting + worker.postponed for worker in view.workers)
    listed = sum(len(worker.reserved) + len(worker.scheduled) for worker in view.workers)
    return max(counted - listed, 0)


class Purging:
    """Empties queues of one app's broker. Safe to use from many threads."""

    def __init__(self, app: Celery, broker: Broker) -> None:
        self._app = app
        self._broker = broker

    def purge(
        self,
        deadline: Deadline,
        names: Sequence[str],
        *,
        told: Callable[[int, int], None] | None = None,
        aside: Aside | None = None,
    ) -> tuple[Emptied, ...]:
        """Empty these queues one after the other; check each name with `known_queue` first.

        `told(done, total)` is called before each queue. With `aside` messages are moved there instead of deleted.

        Each is begun only if the broker answers just before, within two seconds. Raises `Away` when it does not before
        anything was removed. Trouble later is in the result: the queue it struck is unconfirmed (it is never tried
        twice) or was not begun, those after it were not tried.
        """
        done: list[Emptied] = []
        for name in names:
            if told is not None:
                told(len(done), len(names))
            if done and done[-1].problem:
                done.append(untried(name))
                continue
            done.append(self._emptied(deadline, name, aside, first=not done))
        return tuple(done)

    def samples(self, deadline: Deadline, names: Sequence[str]) -> dict[str, Sample]:
        """Return what kind of tasks wait in these queues. Empty on RabbitMQ, which shows messages only to takers.

        Raises `Away` when the broker does not answer in time.
        """
        if not self._broker.is_redis:
            return {}
        return within(deadline, lambda: self._samples(names), source=SOURCE)

    def ends(self, deadline: Deadline, names: Sequence[str]) -> dict[str, tuple[End, ...]]:
        """Return the newest message of each list of these queues, for `came`. Empty on RabbitMQ. Raises `Away`."""
        if not self._broker.is_redis:
            return {}
        return within(deadline, lambda: self._ends(names), source=SOURCE)

    def came(self, deadline: Deadline, shown: Mapping[str, Sequence[End]]) -> dict[str, int]:
        """Return how many messages came to each queue behind those ends, and are there. Raises `Away`.

        Where far more came than a look may find changed, counting stops there (`newest.came_behind`).
        """
        if not shown or not self._broker.is_redis:
            return {}
        return within(deadline, lambda: self._came(shown), source=SOURCE)

    def _ends(self, names: Sequence[str]) -> dict[str, tuple[End, ...]]:
        with away_if_down(SOURCE):
            broker = self._broker.redis()
            return {name: ends(broker, name) for name in names}

    def _came(self, shown: Mapping[str, Sequence[End]]) -> dict[str, int]:
        with away_if_down(SOURCE):
            broker = self._broker.redis()
            return {name: came_behind(broker, name, each) for name, each in shown.items()}

    def _samples(self, names: Sequence[str]) -> dict[str, Sample]:
        with away_if_down(SOURCE):
            broker = self._broker.redis()
            return {name: sample(broker, name) for name in names}

    def _emptied(
        self, deadline: Deadline, name: str, aside: Aside | None, *, first: bool
    ) -> Emptied:
        gate = Gate(deadline.at_most(_CHECK_SECONDS))
        empty = partial(self._one, name, aside, gate)
        try:
            removed = within(deadline, empty, source=SOURCE, gate=gate)
        except Away as problem:
            if first and not gate.passed:
                raise
            return Emptied(queue=name, removed=None, problem=problem.what, tried=gate.passed)
        return Emptied(queue=name, removed=removed)

    def _one(self, name: str, aside: Aside | None, gate: Gate) -> int:
        with away_if_down(SOURCE):
            if not self._broker.is_redis:
                return self._on_amqp(name, gate)
            if aside is None:
                return self._on_redis(name, gate)
            lists = [one for one in aside.lists if one.queue == name]
            return put_aside(self._broker.redis().client, lists, aside.until, gate)

    def _on_redis(self, name: str, gate: Gate) -> int:
        broker = self._broker.redis()
        commands: list[Command] = []
        # One transaction, so that the count is of exactly what is removed, whoever publishes meanwhile.
        for _, key in broker.keys.lists(name):
            commands += (("LLEN", key), ("UNLINK", key))
        answers = transact(broker.client, commands, gate)
        for error in (one for one in answers if isinstance(one, Exception)):
            raise error
        return sum(int(length) for length in answers[::2])

    def _on_amqp(self, name: str, gate: Gate) -> int:
        with open_connection(self._app) as connection:
            channel: Any = connection.channel()
            gate.enter()
            try:
                return int(channel.queue_purge(name) or 0)
            except connection.channel_errors as error:
                if getattr(error, "code", None) != _NOT_FOUND:
                    raise
                return 0  # declared nowhere yet: nothing can wait in it


def untried(name: str) -> Emptied:
    """Return what is said of a queue after one that could not be emptied."""
    why = "It was not tried: the queue before it could not be confirmed."
    return Emptied(queue=name, removed=None, problem=why, tried=False)
