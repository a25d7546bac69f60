"""Messages put aside instead of deleted: each list of a queue renamed, in one step at any depth, and renamed back.

On Redis kombu publishes at the left end of a list and takes from the right. What comes back goes where it is taken
first, in its old order, before whatever was published meanwhile.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, Final

import redis

from knowledge_base_agent.fleet.away import away_if_down
from knowledge_base_agent.fleet.broadcast import SOURCE
from knowledge_base_agent.fleet.broker import Broker, RedisKeys
from knowledge_base_agent.fleet.deadline import Deadline, within
from knowledge_base_agent.fleet.transaction import Command

PREFIX: Final = "kb:undo:"
"""How every key begins that holds something aside."""
_SECONDS: Final = 10.0
_AT_ONCE: Final = 1000
"""Newer messages that are put behind those that come back in the same step, and in each step after it: < 1 ms."""
_MISSING: Final = "no such key"


@dataclass(frozen=True, kw_only=True)
class AsideList:
    """One list of a queue, and the name that it is put aside under."""

    queue: str
    key: str
    aside: str

    @property
    def newer(self) -> str:
        """The name under which messages that were published meanwhile wait, for the moment of a return."""
        return f"{self.aside}:newer"


class Asides:
    """Names, counts, brings back and frees what is put aside in one app's broker. Safe to use from many threads."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker

    @property
    def possible(self) -> bool:
        """Return whether this broker can rename a queue's lists. Asks nobody."""
        return self._broker.is_redis

    def plan(self, deadline: Deadline, names: Sequence[str], mark: str) -> tuple[AsideList, ...]:
        """Return where the lists of these queues would go, under names with `mark` in them. Raises `Away`."""

        known = self._broker.known
        keys = known.keys if known else within(deadline, self._keys, source=SOURCE)
        return tuple(
            AsideList(
                queue=name,
                key=key,
                aside=f"{keys.prefix}{PREFIX}{mark}:{key.removeprefix(keys.prefix)}",
            )
            for name in names
            for _, key in keys.lists(name)
        )

    def _keys(self) -> RedisKeys:
        with away_if_down(SOURCE):
            return self._broker.redis().keys

    def waiting(self, deadline: Deadline, lists: Iterable[AsideList]) -> dict[str, int]:
        """Return how many messages are aside, by queue; a queue of which nothing is aside is 0. Raises `Away`."""
        lists = tuple(lists)
        lengths = self._each(deadline, lists, lambda pipe, one: pipe.llen(one.aside))
        found = dict.fromkeys((one.queue for one in lists), 0)
        for one, length in zip(lists, lengths, strict=True):
            found[one.queue] += int(length)
        return found

    def size(self, deadline: Deadline, lists: Iterable[AsideList]) -> int:
        """Return the bytes that they hold aside, as Redis estimates them from a sample. Raises `Away`."""
        sizes = self._each(deadline, lists, lambda pipe, one: pipe.memory_usage(one.aside))
        return sum(int(one or 0) for one in sizes)

    def bring_back(
        self, lists: Iterable[AsideList], told: Callable[[int], None] = lambda done: None
    ) -> dict[str, int]:
        """Bring the messages back, and return how many of each queue came by this call. Raises `Away`.

        May be called again after it broke off at any point: each message is in exactly one of three lists all the
        time. `told` gets the number brought back so far.
        """
        lists = tuple(lists)
        back = dict.fromkeys((one.queue for one in lists), 0)
        for one in lists:
            back[one.queue] += self._step(partial(_swap, one=one))
            while self._step(partial(_drain, one=one)):
                told(sum(back.values()))
            told(sum(back.values()))
        return back

    def free(self, lists: Iterable[AsideList]) -> None:
        """Delete what is still aside; what was published meanwhile, and a broken return has moved, stays. `Away`."""
        for one in lists:
            self._step(lambda client, one=one: client.unlink(one.aside))  # type: ignore[misc]
            while self._step(partial(_drain, one=one)):
                pass

    def _step(self, do: Callable[[redis.Redis], int]) -> int:
        def call() -> int:
            with away_if_down(SOURCE):
                return do(self._broker.redis().client)

        return within(Deadline.after(_SECONDS), call, source=SOURCE)

    def _each(
        self, deadline: Deadline, lists: Iterable[AsideList], ask: Callable[[Any, AsideList], Any]
    ) -> list[Any]:
        def call() -> list[Any]:
            with away_if_down(SOURCE), self._broker.redis().client.pipeline(False) as pipe:
                for one in lists:
                    ask(pipe, one)
                return list(pipe.execute())

        return within(deadline, call, source=SOURCE)


def to_put_aside(lists: Sequence[AsideList], until: datetime) -> list[Command]:
    """Return what renames these lists aside in one transaction, whose answers `number_aside` counts.

    Redis drops what nobody has freed or brought back by `until` (aware UTC). Done twice, for want of the first answer,
    it moves nothing more and counts the same.
    """
    at = int(until.timestamp() * 1000)
    commands: list[Command] = []
    for one in lists:
        commands += (
            ("RENAMENX", one.key, one.aside), ("LLEN", one.aside), ("PEXPIREAT", one.aside, at),
        )  # fmt: skip
    return commands


def number_aside(answers: list[Any]) -> int:
    """Return exactly how many messages were put aside, whoever publishes. Raises an error that is among the answers."""
    return sum(int(length) for length in _checked(answers)[1::3])


def _swap(client: redis.Redis, one: AsideList) -> int:
    """Put what is aside in the queue's place, and what was published meanwhile behind it; return how many came."""
    while _drain(client, one):  # of a return that broke off
        pass
    with client.pipeline(transaction=False) as look:
        look.exists(one.aside)
        look.llen(one.key)
        there, meanwhile = look.execute()
    if not there:
        return 0
    with client.pipeline(transaction=True) as pipe:
        pipe.llen(one.aside)
        pipe.persist(one.aside)
        pipe.renamenx(one.key, one.newer)
        pipe.renamenx(one.aside, one.key)
        # Some more than were there a moment ago; from an empty list none is moved.
        for _ in range(min(meanwhile + 100, _AT_ONCE) if meanwhile else 0):
            pipe.rpoplpush(one.newer, one.key)
        answers = _checked(pipe.execute(raise_on_error=False))
    return int(answers[0])


def _drain(client: redis.Redis, one: AsideList) -> int:
    """Put messages that were published meanwhile behind the others, so many at once; return how many are left."""
    left = int(client.llen(one.newer))
    if left:
        with client.pipeline(transaction=False) as pipe:
            for _ in range(min(left, _AT_ONCE)):
                pipe.rpoplpush(one.newer, one.key)
            pipe.execute()
    return max(left - _AT_ONCE, 0)


def _checked(answers: list[Any]) -> list[Any]:
    """Return the answers, with 0 where there was nothing to rename. Raises any other error among them."""
    for number, answer in enumerate(answers):
        if isinstance(answer, Exception):
            if _MISSING not in str(answer):
                raise answer
            answers[number] = 0
    return answers
