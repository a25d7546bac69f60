"""Emptying queues: every message that waits, in each priority's list, removed and counted in one step.

What workers already hold (running, taken in advance, waiting for its time) is in no queue and stays: `held.py`
tells how much that is. Which queues there are comes from `Queues.depths`; a name that is not among them is refused by
`known_queue`, because an unknown queue is "purged" without a word while the real one stays full.
"""

import difflib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

import redis
from celery import Celery

from knowledge_base_agent.fleet.asides import AsideList, number_aside, to_put_aside
from knowledge_base_agent.fleet.away import away_if_down
from knowledge_base_agent.fleet.broadcast import SOURCE
from knowledge_base_agent.fleet.broker import Broker, RedisKeys
from knowledge_base_agent.fleet.deadline import Deadline, within
from knowledge_base_agent.fleet.gate import Gate
from knowledge_base_agent.fleet.line import open_connection
from knowledge_base_agent.fleet.newest import End, came_behind, ends
from knowledge_base_agent.fleet.queue_views import QueuesView
from knowledge_base_agent.fleet.sampling import Sample, sample
from knowledge_base_agent.fleet.transaction import Command, transact, transact_here
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
        try:
            removed = self._here(deadline, name, aside, gate)
            if removed is None:
                empty = partial(self._one, name, aside, gate)
                removed = within(deadline, empty, source=SOURCE, gate=gate)
        except Away as problem:
            if first and not gate.passed:
                what = f"{problem.what} Nothing was removed."
                raise Away(what, problem.cure, source=problem.source) from problem
            return Emptied(queue=name, removed=None, problem=problem.what, tried=gate.passed)
        return Emptied(queue=name, removed=removed)

    def _here(self, deadline: Deadline, name: str, aside: Aside | None, gate: Gate) -> int | None:
        """Do it in this very thread if a connection lives; a quarter of the time that it takes goes to another one."""
        broker = self._broker.known
        if broker is None:
            return None
        commands, counted = _emptying(broker.keys, name, aside)
        with away_if_down(SOURCE):
            try:
                answers = transact_here(broker.client, commands, gate, deadline)
            except redis.TimeoutError as error:
                raise Away.late(SOURCE) from error
            return None if answers is None else counted(answers)

    def _one(self, name: str, aside: Aside | None, gate: Gate) -> int:
        with away_if_down(SOURCE):
            if not self._broker.is_redis:
                return self._on_amqp(name, gate)
            broker = self._broker.redis()
            commands, counted = _emptying(broker.keys, name, aside)
            return counted(transact(broker.client, commands, gate))

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


def _emptying(
    keys: RedisKeys, name: str, aside: Aside | None
) -> tuple[list[Command], Callable[[list[Any]], int]]:
    """Return what empties a queue in one transaction, and what counts by its answers what that took.

    Whoever publishes meanwhile, the count is of exactly what was removed.
    """
    if aside is not None:
        lists = [one for one in aside.lists if one.queue == name]
        return to_put_aside(lists, aside.until), number_aside
    commands: list[Command] = []
    for _, key in keys.lists(name):
        commands += (("LLEN", key), ("UNLINK", key))
    return commands, _number_removed


def _number_removed(answers: list[Any]) -> int:
    for error in (one for one in answers if isinstance(one, Exception)):
        raise error
    return sum(int(length) for length in answers[::2])


def untried(name: str) -> Emptied:
    """Return what is said of a queue after one that could not be emptied."""
    why = "It was not tried: the queue before it could not be confirmed."
    return Emptied(queue=name, removed=None, problem=why, tried=False)
