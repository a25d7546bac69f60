"""Messages put aside on RabbitMQ instead of deleted: each queue's go to a queue of their own, and back to its end."""

import contextlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from functools import cached_property
from typing import Final

from celery import Celery
from kombu.transport.pyamqp import Transport

from knowledge_base_agent.fleet.amqp_chunks import (
    AsideQueue,
    Back,
    Departure,
    Moved,
    Return,
    delete,
    step,
)
from knowledge_base_agent.fleet.amqp_depth import read_amqp
from knowledge_base_agent.fleet.amqp_transaction import Transaction
from knowledge_base_agent.fleet.away import away_if_down
from knowledge_base_agent.fleet.broadcast import SOURCE
from knowledge_base_agent.fleet.deadline import Deadline, within
from knowledge_base_agent.fleet.discovery import ASIDE_QUEUES
from knowledge_base_agent.problems import Away
from knowledge_base_agent.redaction import plain

PREFIX: Final = ASIDE_QUEUES
"""How every queue begins that holds something aside."""
_NAME_BYTES: Final = 240
"""RabbitMQ takes names of up to 255 bytes, and the ledger's is longer."""
_LOOK_SECONDS: Final = 1.5
_CLOSE_SECONDS: Final = 2.0


class AmqpAsides:
    """Moves, counts, brings back and frees what is put aside in one app's broker. Safe to use from many threads."""

    def __init__(self, app: Celery) -> None:
        self._app = app

    @cached_property
    def possible(self) -> bool:
        """Return whether the broker speaks AMQP, with its transactions. Asks nobody."""
        return issubclass(self._app.connection_for_write().get_transport_cls(), Transport)

    def plan(self, names: Sequence[str], mark: str) -> tuple[AsideQueue, ...]:
        """Return where the messages of these queues would go, under names with `mark` in them. Asks nobody."""
        head = f"{PREFIX}{mark.replace(':', '.')}"
        return tuple(
            AsideQueue(queue=name, aside=_cut(f"{head}.{number}.{name}"))
            for number, name in enumerate(names)
        )

    def put_aside(
        self,
        deadline: Deadline,
        plan: AsideQueue,
        until: timedelta,
        told: Callable[[int, int], None] = lambda done, total: None,
    ) -> Moved:
        """Move as many messages as wait when it begins; RabbitMQ drops them when nobody has touched them for `until`.

        Stops between two chunks at the deadline. `told(done, total)` is called after each. Raises `Away` when the
        broker can't be reached before anything was moved; later that is in the result.
        """
        total = self._counts([plan.queue])[plan.queue]
        if not total:
            return Moved(queue=plan.queue)
        with self._transaction() as way:
            departure = Departure(way=way, plan=plan)
            departure.begin(until)
            moved = departure.move(deadline, total, told)
            if not moved.number and moved.problem is None:
                step(lambda: delete(way, plan))
            return moved

    def waiting(self, plans: Iterable[AsideQueue]) -> dict[str, int]:
        """Return how many are aside, by queue; 0 where there is nothing of it any more. Raises `Away`."""
        plans = tuple(plans)
        found = self._counts([one.aside for one in plans])
        return {one.queue: found[one.aside] or 0 for one in plans}

    def forgotten(self, plans: Iterable[AsideQueue]) -> frozenset[str]:
        """Return the queues of which the broker has forgotten what moved: it was restarted since. Raises `Away`."""
        plans = tuple(plans)
        found = self._counts([one.ledger for one in plans])
        return frozenset(one.queue for one in plans if found[one.ledger] == 0)

    def missing(self, plans: Iterable[AsideQueue]) -> frozenset[str]:
        """Return the queues that do not exist any more, so that nothing can come back to them. Raises `Away`."""
        found = self._counts([one.queue for one in plans])
        return frozenset(name for name, number in found.items() if number is None)

    def bring_back(self, plan: AsideQueue, told: Callable[[int], None] = lambda done: None) -> Back:
        """Move what is aside to the end of its queue, in its old order, and remove what held it.

        May be called again after it broke off at any point. `told` gets the number brought back so far. Raises `Away`.
        """
        found = self._counts([plan.queue, plan.aside])
        if found[plan.aside] is None:
            return Back(queue=plan.queue)
        if found[plan.queue] is None:
            why = f"the queue {plain(plan.queue, 80)} does not exist any more"
            return Back(queue=plan.queue, problem=why)
        with self._transaction() as way:
            return Return(way=way, plan=plan).bring(told)

    def free(self, plans: Iterable[AsideQueue]) -> None:
        """Delete what is aside still. Raises `Away`."""
        with self._transaction() as way:
            for one in plans:
                step(lambda one=one: delete(way, one))  # type: ignore[misc]

    def _counts(self, names: Sequence[str]) -> dict[str, int | None]:
        def counts() -> dict[str, int | None]:
            with away_if_down(SOURCE):
                found = read_amqp(self._app, names)
            return {name: None if one is None else one.messages for name, one in found.items()}

        return within(Deadline.after(_LOOK_SECONDS), counts, source=SOURCE)

    @contextmanager
    def _transaction(self) -> Iterator[Transaction]:
        opened = step(lambda: Transaction(self._app))
        try:
            yield opened
        finally:
            # What can't be closed in time is cut off by the broker, which gives back what was taken.
            with contextlib.suppress(Away):
                within(Deadline.after(_CLOSE_SECONDS), opened.close, source=SOURCE)


def _cut(name: str) -> str:
    return name.encode()[:_NAME_BYTES].decode(errors="ignore")
