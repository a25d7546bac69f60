"""The messages of paused tasks that workers have set aside: counted, brought back in order, or dropped.

They are in the broker's own Redis, moved list to list by its own commands: a message is in one place or the other.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

from knowledge_base_agent.fleet.away import away_if_down
from knowledge_base_agent.fleet.broadcast import SOURCE
from knowledge_base_agent.fleet.broker import Broker, RedisBroker
from knowledge_base_agent.fleet.deadline import Deadline, within
from knowledge_base_agent.fleet.parking_names import (
    INDEX,
    index_entry,
    parking_queue,
    read_index_entry,
)

_AT_ONCE = 100
"""Messages moved in one transaction: it answers with each of them."""


@dataclass(frozen=True, kw_only=True)
class Parked:
    """How many messages of one task from one queue are set aside."""

    task: str
    queue: str
    count: int


@dataclass(frozen=True, kw_only=True)
class BroughtBack:
    """What came of bringing back a task's messages."""

    moved: tuple[Parked, ...]
    """How many went back to each queue, behind what waits there."""
    left: int
    """How many are set aside still: the time was up, or a worker goes on setting aside."""

    @property
    def total(self) -> int:
        """Return how many went back in all."""
        return sum(one.count for one in self.moved)


def parked_pairs(broker: RedisBroker) -> tuple[tuple[str, str], ...]:
    """Return the pairs of task and queue of which something is, or was, set aside."""
    entries: Any = broker.client.smembers(broker.keys.prefix + INDEX)
    return tuple(sorted(read_index_entry(one.decode("utf-8", "replace")) for one in entries))


class Parking:
    """What is set aside in one app's broker. Safe to use from many threads; nothing is ever set aside on RabbitMQ."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker

    @property
    def possible(self) -> bool:
        """Return whether messages can be set aside on this broker. Asks nobody."""
        return self._broker.is_redis

    def counts(self, deadline: Deadline) -> tuple[Parked, ...]:
        """Return how many messages are set aside, by task and queue. Raises `Away` without a broker."""
        if not self.possible:
            return ()
        return within(deadline, self._counts, source=SOURCE)

    def bring_back(
        self, deadline: Deadline, task: str, told: Callable[[int, int], None] | None = None
    ) -> BroughtBack:
        """Move a task's messages to the end of the queues that they came from, the oldest first.

        Tell the workers first, or they set them aside again: at most as many are moved as were there when it began.
        `told(done, total)` is called after each portion. Raises `Away` without a broker: then some may be moved.
        """
        there = [one for one in self.counts(deadline) if one.task == task]
        total, done, moved = sum(one.count for one in there), 0, []
        for one in there:
            back = 0
            while back < one.count and not deadline.expired:
                portion = min(one.count - back, _AT_ONCE)
                number = within(
                    deadline,
                    lambda one=one, portion=portion: self._move(one.task, one.queue, portion),  # type: ignore[misc]
                    source=SOURCE,
                )
                if not number:
                    break
                back += number
                if told is not None:
                    told(done + back, total)
            done += back
            moved.append(Parked(task=task, queue=one.queue, count=back))
        left = sum(one.count for one in self.counts(deadline) if one.task == task)
        return BroughtBack(moved=tuple(moved), left=left)

    def drop(self, deadline: Deadline, queues: Collection[str]) -> int:
        """Remove what was set aside from these queues, for good, and return how many. Raises `Away`."""
        if not self.possible:
            return 0
        return within(deadline, lambda: self._drop(queues), source=SOURCE)

    def _counts(self) -> tuple[Parked, ...]:
        with away_if_down(SOURCE):
            broker = self._broker.redis()
            pairs = parked_pairs(broker)
            lengths = [self._length(broker, task, queue) for task, queue in pairs]
        return tuple(
            Parked(task=task, queue=queue, count=count)
            for (task, queue), count in zip(pairs, lengths, strict=True)
            if count
        )

    @staticmethod
    def _length(broker: RedisBroker, task: str, queue: str) -> int:
        with broker.client.pipeline(transaction=False) as pipe:
            for _, key in broker.keys.lists(parking_queue(task, queue)):
                pipe.llen(key)
            return sum(int(one) for one in pipe.execute())

    def _move(self, task: str, queue: str, most: int) -> int:
        """Move so many, the highest priority first; each list to the list of its own priority."""
        moved = 0
        with away_if_down(SOURCE):
            broker = self._broker.redis()
            kept = broker.keys.lists(parking_queue(task, queue))
            for (_, source), (_, goal) in zip(kept, broker.keys.lists(queue), strict=True):
                with broker.client.pipeline(transaction=True) as pipe:
                    for _ in range(most - moved):
                        pipe.lmove(source, goal, "RIGHT", "LEFT")
                    moved += sum(one is not None for one in pipe.execute())
                if moved >= most:
                    break
        return moved

    def _drop(self, queues: Collection[str]) -> int:
        removed = 0
        with away_if_down(SOURCE):
            broker = self._broker.redis()
            for task, queue in parked_pairs(broker):
                if queue not in queues:
                    continue
                with broker.client.pipeline(transaction=True) as pipe:
                    for _, key in broker.keys.lists(parking_queue(task, queue)):
                        pipe.llen(key)
                        pipe.unlink(key)
                    pipe.srem(broker.keys.prefix + INDEX, index_entry(task, queue))
                    removed += sum(int(one) for one in pipe.execute()[:-1:2])
        return removed
