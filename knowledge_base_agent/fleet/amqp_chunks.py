"""Moving a queue's messages aside on RabbitMQ, chunk by chunk, and back, so that each is in one place at the end.

A chunk goes in two transactions. The first puts copies aside, and is answered when they are safe. The second
acknowledges the originals and writes the chunk's number into a queue beside, the ledger. So a process that is killed
in between leaves copies of one chunk that the ledger does not name: their originals never left, and the copies are
dropped. Back it goes the same way: what is published and its number in one transaction, then the copies are dropped.

The number is a transient message: a broker that was restarted has forgotten it, and all that is aside is brought back.
That is on purpose, for a broker that is killed forgets acknowledgements that it had not written to its disk (measured
on RabbitMQ 3.10: of 500 messages that had just moved, all 500 were in their queue again). So some may be doubled then,
in the queue and by the return, but what it has answered to be safe is safe, and nothing is lost.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any, Final, TypeVar

from amqp import Message
from amqp.exceptions import ChannelError

from knowledge_base_agent.fleet.amqp_envelope import chunk_of, folded, unfolded
from knowledge_base_agent.fleet.amqp_transaction import Transaction
from knowledge_base_agent.fleet.away import away_if_down
from knowledge_base_agent.fleet.broadcast import SOURCE
from knowledge_base_agent.fleet.deadline import Deadline, within
from knowledge_base_agent.problems import Away

T = TypeVar("T")

AT_ONCE: Final = 100
"""Messages of a chunk: the most that are unacknowledged at a time, but for one more on the way back."""
_STEP_SECONDS: Final = 20.0
_TRANSIENT: Final = 1


@dataclass(frozen=True, kw_only=True)
class AsideQueue:
    """A queue, and the name of the queue where its messages are put aside."""

    queue: str
    aside: str

    @property
    def ledger(self) -> str:
        """The queue with the one message that says which chunks have moved."""
        return f"{self.aside}.ledger"


@dataclass(frozen=True, kw_only=True)
class Moved:
    """What came of putting one queue's messages aside."""

    queue: str
    number: int = 0
    """How many left the queue for certain."""
    bytes: int = 0
    """The size of their bodies."""
    problem: str | None = None
    """Why not all that waited was moved."""
    unsure: int = 0
    """How many may have left besides: the broker went away while it was told."""


@dataclass(frozen=True, kw_only=True)
class Back:
    """What came of bringing one queue's messages back."""

    queue: str
    number: int = 0
    problem: str | None = None
    """Why not all of them came: what is left is aside still."""


@dataclass(frozen=True, kw_only=True)
class _Ledger:
    """The numbers of the last chunks that have moved away, and back. They begin with 1 and have no gaps."""

    moved: int | None = 0
    """None: the broker has forgotten it."""
    back: int = 0

    def message(self) -> Message:
        body = json.dumps({"moved": self.moved, "back": self.back})
        return Message(body.encode(), delivery_mode=_TRANSIENT)

    def leaves_out(self, chunk: int) -> bool:
        """Tell the copies of what never left, or has come back already."""
        return chunk <= self.back or (self.moved is not None and chunk > self.moved)


def step(do: Callable[[], T]) -> T:
    """Do something that blocks, within its time. Raises `Away`."""

    def call() -> T:
        with away_if_down(SOURCE):
            return do()

    return within(Deadline.after(_STEP_SECONDS), call, source=SOURCE)


@dataclass(kw_only=True)
class Departure:
    """Moves the messages of one queue aside."""

    way: Transaction
    plan: AsideQueue
    unsure: int = 0

    def begin(self, until: timedelta) -> None:
        """Make the queues. RabbitMQ drops them when nobody has touched them for `until`. Raises `Away`."""
        # Classic, whatever is usual here: only such a queue forgets a transient message.
        lasting: dict[str, object] = {
            "x-queue-type": "classic",
            "x-expires": int(until.total_seconds() * 1000),
        }

        def made() -> None:
            self.way.declare(self.plan.aside, lasting)
            self.way.declare(self.plan.ledger, lasting | {"x-max-length": 1})
            self.way.publish(_Ledger().message(), self.plan.ledger)
            self.way.commit()

        step(made)

    def move(self, deadline: Deadline, total: int, told: Callable[[int, int], None]) -> Moved:
        """Move up to `total` messages, telling after each chunk; what goes wrong is in the result."""
        moved = Moved(queue=self.plan.queue)
        chunk = 0
        while moved.number < total:
            if deadline.expired:
                return replace(moved, problem="The time for it was over.")
            chunk += 1
            most = min(AT_ONCE, total - moved.number)
            try:
                number, size = step(lambda: self._chunk(chunk, most))  # noqa: B023
            except Away as problem:
                return replace(moved, problem=problem.what, unsure=self.unsure)
            if not number:  # others have taken the rest
                break
            moved = replace(moved, number=moved.number + number, bytes=moved.bytes + size)
            told(moved.number, total)
        return moved

    def _chunk(self, chunk: int, most: int) -> tuple[int, int]:
        limit = Deadline.after(_STEP_SECONDS)
        taken = self.way.take(self.plan.queue, most)
        if not taken:
            return 0, 0
        for one in taken:
            self.way.publish(folded(one, chunk), self.plan.aside)
        if self.way.commit() or limit.expired:  # late, nobody waits for this any more
            what = "The queue in which messages are put aside is gone, or was slow."
            raise Away(what, "Ask again.", source=SOURCE)
        self.unsure = len(taken)
        self.way.publish(_Ledger(moved=chunk).message(), self.plan.ledger)
        self.way.settle(taken[-1])
        self.way.commit()
        self.unsure = 0
        return len(taken), sum(len(one.body) for one in taken)


@dataclass(kw_only=True)
class Return:
    """Moves the messages of one queue back to its end."""

    way: Transaction
    plan: AsideQueue
    _ledger: _Ledger = field(default_factory=_Ledger)
    _taken: list[Any] = field(default_factory=list)

    def bring(self, told: Callable[[int], None]) -> Back:
        """Bring back all that is aside, each once, and remove what held it. Raises `Away`."""
        self._ledger = step(self._read)
        back = Back(queue=self.plan.queue)
        while chunk := step(self._next):
            number = step(lambda: self._chunk(chunk))
            if number is None:
                return replace(back, problem="the queue was deleted meanwhile")
            back = replace(back, number=back.number + number)
            told(back.number)
        if self._ledger.moved is not None and self._ledger.back < self._ledger.moved:
            why = "the rest is held by a connection that broke off, or was removed by somebody else"
            return replace(back, problem=why)
        if self._ledger.moved is not None:
            step(lambda: delete(self.way, self.plan))
        return back

    def _read(self) -> _Ledger:
        entries = self.way.peek(self.plan.ledger)
        # The last one: an earlier one may have been put back by a reader.
        return _Ledger(**json.loads(entries[-1])) if entries else _Ledger(moved=None)

    def _next(self) -> list[Any]:
        """Return the next chunk whole: it ends where another one begins, or nothing more is there."""
        while len(self._taken) <= AT_ONCE:
            more = self.way.take(self.plan.aside, AT_ONCE + 1 - len(self._taken))
            self._taken += more
            if not more:
                break
        chunk = [one for one in self._taken if chunk_of(one) == chunk_of(self._taken[0])]
        self._taken = self._taken[len(chunk) :]
        return chunk

    def _chunk(self, chunk: list[Any]) -> int | None:
        """Bring back a chunk, and return how many came; None where their queue is gone."""
        number, came = chunk_of(chunk[0]), 0
        if not self._ledger.leaves_out(number):
            if not self._publish(chunk, number):
                return None
            came = len(chunk)
        self.way.settle(chunk[-1])
        self.way.commit()
        return came

    def _publish(self, chunk: list[Any], number: int) -> bool:
        before, after = self._ledger, replace(self._ledger, back=number)
        for one in chunk:
            self.way.publish(unfolded(one), self.plan.queue)
        self.way.publish(after.message(), self.plan.ledger)
        try:
            nowhere = self.plan.queue in self.way.commit()
        except ChannelError:  # refused, perhaps a part of it alone, and written all the same
            self.way.renew()
            self._write(before)
            raise
        if nowhere:
            self._write(before)
            return False
        self._ledger = after
        return True

    def _write(self, ledger: _Ledger) -> None:
        self.way.publish(ledger.message(), self.plan.ledger)
        self.way.commit()


def delete(way: Transaction, plan: AsideQueue) -> None:
    """Delete what holds something aside, with what is in it."""
    way.delete(plan.aside)
    way.delete(plan.ledger)
