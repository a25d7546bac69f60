"""What waits in a queue, by the name of its task: estimated from random positions, or counted to the last message.

Redis walks to a position of a list from its nearer end, and serves nobody meanwhile: half a millisecond at half a
million messages of a kilobyte, and several where its allocator lays the nodes apart. So each command is short and sent
by itself; a pipeline of them would be one long command.
"""

import random
import statistics
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import redis

from knowledge_base_agent.fleet.away import away_if_down
from knowledge_base_agent.fleet.broadcast import SOURCE
from knowledge_base_agent.fleet.broker import Broker
from knowledge_base_agent.fleet.deadline import Deadline, within
from knowledge_base_agent.fleet.envelopes import task_names
from knowledge_base_agent.fleet.list_reading import ListReading
from knowledge_base_agent.fleet.sampling import UNNAMED

SMALL: Final = 1_000
"""Up to so many messages are counted rather than estimated: it takes no longer."""
_SLICE: Final = 10
_LEAST_SLICES: Final = 40
_MOST_SLICES: Final = 400
_ESTIMATE_SECONDS: Final = 0.03
_DEVIATIONS: Final = 1.96  # of a normal distribution, to either side of its mean, are 95 %
_NONE_SEEN: Final = 3.0  # of n independent looks without an event: its share is below 3 / n at 95 %
_CHUNK_SECONDS: Final = 5.0

Told = Callable[[int, int], None]


@dataclass(frozen=True, kw_only=True)
class Share:
    """The estimated part of a queue that one task makes up, from 0 to 1, and how far it may be off at 95 %."""

    name: str
    share: float
    error: float


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """What was seen at random positions of a queue."""

    waiting: int
    read: int
    """Messages that were looked at."""
    shares: tuple[Share, ...]
    """The largest first."""
    unseen: float
    """A task with a smaller part than this may be there and not have been seen, at 95 %."""


@dataclass(frozen=True, kw_only=True)
class Counted:
    """What was counted in a queue, message by message. `before` and `after` are how many waited then."""

    before: int
    after: int
    names: Mapping[str, int]
    """How many of each task, the most frequent first."""
    complete: bool = True
    """False where the time was up before the last message."""
    taken: bool = False
    """Whether a message was taken meanwhile, which moved the others: some were not read, however many came."""

    @property
    def read(self) -> int:
        """How many messages were read."""
        return sum(self.names.values())

    @property
    def still(self) -> bool:
        """Whether nothing that can be seen came or went meanwhile, so that this is exact."""
        return self.complete and not self.taken and self.before == self.read == self.after


@dataclass(frozen=True, kw_only=True)
class _Lists:
    client: redis.Redis
    keys: tuple[str, ...]
    lengths: tuple[int, ...]
    next: tuple[bytes | None, ...]
    """The message of each list that is taken next."""

    @property
    def total(self) -> int:
        return sum(self.lengths)

    def at(self, position: int) -> tuple[str, int]:
        """Return the list and the index in it of a position in all of them."""
        for key, length in zip(self.keys, self.lengths, strict=True):
            if position < length:
                return key, position
            position -= length
        raise IndexError(position)


class QueueContents:
    """Reads the names of waiting tasks from one app's broker. Safe to use from many threads."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker

    def estimate(self, deadline: Deadline, queue: str) -> Estimate:
        """Estimate from messages at random positions, in some hundredths of a second. Raises `Away`."""
        return within(deadline, partial(self._estimate, queue), source=SOURCE)

    def count(self, deadline: Deadline, queue: str, told: Told) -> Counted:
        """Count every message, until the deadline; `told` gets how many were read, and of how many. Raises `Away`."""
        lists = self._step(partial(self._lists, queue))
        names: Counter[str] = Counter()
        complete = True
        for key, length in zip(lists.keys, lists.lengths, strict=True):
            complete = complete and self._count_list(deadline, key, length, names, told, lists)
        after = self._step(partial(self._lists, queue))
        ordered = sorted(names.items(), key=lambda one: (-one[1], one[0]))
        return Counted(
            before=lists.total,
            after=after.total,
            names=dict(ordered),
            complete=complete,
            taken=lists.next != after.next,
        )

    def _count_list(
        self,
        deadline: Deadline,
        key: str,
        length: int,
        names: Counter[str],
        told: Told,
        lists: _Lists,
    ) -> bool:
        reading = ListReading(lists.client, key, length, deadline)
        try:
            while reading.goes_on:
                names.update(self._step(reading.count_for_a_while))
                told(names.total(), lists.total)
        finally:
            reading.let_go()
        return reading.complete

    def _step(self, do: Callable[[], Any]) -> Any:
        def call() -> Any:
            with away_if_down(SOURCE):
                return do()

        return within(Deadline.after(_CHUNK_SECONDS), call, source=SOURCE)

    def _lists(self, queue: str) -> _Lists:
        broker = self._broker.redis()
        keys = tuple(key for _, key in broker.keys.lists(queue))
        with broker.client.pipeline(transaction=False) as pipe:
            for key in keys:
                pipe.llen(key)
                pipe.lindex(key, -1)
            said: list[Any] = pipe.execute()
        lengths = tuple(int(one) for one in said[::2])
        return _Lists(client=broker.client, keys=keys, lengths=lengths, next=tuple(said[1::2]))

    def _estimate(self, queue: str) -> Estimate:
        with away_if_down(SOURCE):
            lists = self._lists(queue)
            slices = _slices(lists) if lists.total else []
        return estimated(lists.total, slices)


def _slices(lists: _Lists) -> list[Counter[str]]:
    found: list[Counter[str]] = []
    until = Deadline.after(_ESTIMATE_SECONDS)
    for _ in range(_MOST_SLICES):
        if until.expired and len(found) >= _LEAST_SLICES:
            break
        key, start = lists.at(random.randrange(lists.total))
        raw: Any = lists.client.lrange(key, start, start + _SLICE - 1)
        if raw:  # else it was taken meanwhile
            found.append(Counter(task_names(raw, UNNAMED)))
    return found


def estimated(waiting: int, slices: Sequence[Counter[str]]) -> Estimate:
    """Return what slices of neighbours at random positions say. Pure.

    Neighbours are often of one task, so a slice counts as one look, however many messages are in it.
    """
    names = {name for one in slices for name in one}
    unseen = min(1.0, _NONE_SEEN / len(slices)) if slices else 1.0
    shares = []
    for name in names:
        parts = [one[name] / one.total() for one in slices]
        deviation = statistics.stdev(parts) if len(parts) > 1 else 1.0
        error = max(_DEVIATIONS * deviation / len(parts) ** 0.5, unseen if deviation == 0 else 0.0)
        shares.append(Share(name=name, share=statistics.fmean(parts), error=error))
    shares.sort(key=lambda one: (-one.share, one.name))
    read = sum(one.total() for one in slices)
    return Estimate(waiting=waiting, read=read, shares=tuple(shares), unseen=unseen)
