"""Looking for tasks by id among the messages that wait in the broker, a chunk at a time, saying how far it read."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from celery import Celery

from knowledge_base_agent.fleet.away import away_if_down
from knowledge_base_agent.fleet.broadcast import SOURCE
from knowledge_base_agent.fleet.broker import Broker, RedisBroker
from knowledge_base_agent.fleet.deadline import Deadline, within
from knowledge_base_agent.fleet.discovery import Bindings, of_settings
from knowledge_base_agent.fleet.envelopes import Envelope, chord_of, read_envelope, read_unacked
from knowledge_base_agent.fleet.parking import parked_pairs
from knowledge_base_agent.fleet.parking_names import parking_queue

_CHUNK_BYTES = 1024 * 1024
_CHUNK_MOST = 2000


class Waits(StrEnum):
    """How a message waits."""

    READY = "ready"
    """In its queue: no worker has it."""
    UNACKED = "unacked"
    """A worker took it, or died with it."""
    ASIDE = "set aside"
    """Its task is paused, and a worker has set it aside."""


@dataclass(frozen=True, kw_only=True)
class Pending:
    """A task's message that was found in the broker."""

    envelope: Envelope
    waits: Waits
    queue: str
    chord: str | None = None
    """The task that waits for this one and its group, where that is a chord and the message is in its queue."""


@dataclass(frozen=True, kw_only=True)
class PendingSearch:
    """What a search found, and how much of the whole it has read."""

    found: tuple[Pending, ...]
    scanned: int
    total: int | None
    """How many messages there were when it began; None where the broker does not show them."""
    complete: bool
    """Whether every message was read. If not, an id that was not found may still be there."""
    why_incomplete: str | None = None


@dataclass(kw_only=True)
class _Search:
    wanted: set[str]
    found: list[Pending] = field(default_factory=list)
    scanned: int = 0
    unreadable: int = 0
    cut_short: bool = False

    def take(self, envelope: Envelope | None, waits: Waits, queue: str, raw: bytes = b"") -> None:
        self.scanned += 1
        self.unreadable += envelope is None
        if envelope is not None and envelope.id in self.wanted:
            self.wanted.discard(envelope.id)
            chord = chord_of(raw) if envelope.group and raw else None
            self.found.append(Pending(envelope=envelope, waits=waits, queue=queue, chord=chord))

    def why_incomplete(self) -> str | None:
        """Return why an id that was not found may still be there."""
        if not self.wanted:
            return None
        if self.cut_short:
            return "The time was up before everything was read."
        return f"{self.unreadable} messages could not be read." if self.unreadable else None


class PendingMessages:
    """The messages of one app's queues. Safe to use from many threads."""

    def __init__(self, app: Celery, broker: Broker) -> None:
        self._app = app
        self._broker = broker
        self._bindings = Bindings()

    def find(self, deadline: Deadline, ids: Collection[str]) -> PendingSearch:
        """Look for these ids in every queue, until all are found, all is read, or just before the deadline.

        Reads envelopes only, never a body. On RabbitMQ nothing can be read without taking it away: it says so.
        Raises `Away` when the broker does not answer.
        """
        return within(deadline, lambda: self._find(deadline, ids), source=SOURCE)

    def find_aside(
        self, deadline: Deadline, lists: Sequence[tuple[str, str]], task_id: str
    ) -> str | None:
        """Return the queue whose list aside holds this id, of lists on Redis as (queue, key); None if not seen there.

        None is no proof: the time may have been up before all was read. Raises `Away`.
        """

        def look() -> str | None:
            search = _Search(wanted={task_id})
            with away_if_down(SOURCE):
                broker = self._broker.redis()
                for queue, key in lists:
                    self._search_list(broker, deadline, search, queue, key)
            return search.found[0].queue if search.found else None

        return within(deadline, look, source=SOURCE)

    def _find(self, deadline: Deadline, ids: Collection[str]) -> PendingSearch:
        if not self._broker.is_redis:
            closed = "RabbitMQ shows waiting messages only to those who take them."
            return PendingSearch(
                found=(), scanned=0, total=None, complete=False, why_incomplete=closed
            )
        search = _Search(wanted=set(ids))
        inner = Deadline(at=deadline.at - 0.1)  # leaves time to hand over what was found
        with away_if_down(SOURCE):
            broker = self._broker.redis()
            routes = self._bindings.read(broker, inner.at_most(0.5), self._exchanges())
            queues = of_settings(self._app) | set(routes.values())
            total = self._total(broker, queues)
            self._search_unacked(broker, inner, search, routes)
            for queue in sorted(queues):
                for _, key in broker.keys.lists(queue):
                    self._search_list(broker, inner, search, queue, key)
            # After the queues: what is set aside meanwhile is met twice, and what comes back is with a worker soon.
            for task, queue in parked_pairs(broker):
                for _, key in broker.keys.lists(parking_queue(task, queue)):
                    self._search_list(broker, inner, search, queue, key, Waits.ASIDE)
        why = search.why_incomplete()
        return PendingSearch(
            found=tuple(search.found),
            scanned=search.scanned,
            total=total,
            complete=why is None,
            why_incomplete=why,
        )

    def _exchanges(self) -> set[str]:
        return {str(queue.exchange.name) for queue in self._app.amqp.queues.values()} - {""}

    @staticmethod
    def _total(broker: RedisBroker, queues: Collection[str]) -> int:
        with broker.client.pipeline(transaction=False) as pipe:
            for queue in queues:
                for _, key in broker.keys.lists(queue):
                    pipe.llen(key)
            if broker.keys.unacked:
                pipe.hlen(broker.keys.unacked)
            return sum(int(length) for length in pipe.execute())

    @staticmethod
    def _search_unacked(
        broker: RedisBroker, deadline: Deadline, search: _Search, routes: dict[tuple[str, str], str]
    ) -> None:
        cursor: Any = 0
        entries: Any
        while broker.keys.unacked and search.wanted:
            if deadline.expired:
                search.cut_short = True
                return
            cursor, entries = broker.client.hscan(broker.keys.unacked, cursor, count=100)
            for raw in entries.values():
                envelope, exchange, key = read_unacked(raw) or (None, "", "")
                search.take(envelope, Waits.UNACKED, routes.get((exchange, key), key))
            if cursor == 0:
                return

    @staticmethod
    def _search_list(
        broker: RedisBroker,
        deadline: Deadline,
        search: _Search,
        queue: str,
        key: str,
        waits: Waits = Waits.READY,
    ) -> None:
        for chunk in _chunks(broker, key):
            for raw in chunk:
                search.take(read_envelope(raw), waits, queue, raw)
            if not search.wanted:
                return
            if deadline.expired:
                search.cut_short = True
                return


def _chunks(broker: RedisBroker, key: str) -> Iterator[list[bytes]]:
    """Read a list from its newest end, about a megabyte at a time.

    Kombu adds at this end and takes from the other: what moves while we read can be met twice, never missed.
    """
    start, size = 0, 16
    while True:
        chunk: Any = broker.client.lrange(key, start, start + size - 1)
        if not chunk:
            return
        yield chunk
        start += len(chunk)
        average = max(sum(map(len, chunk)) // len(chunk), 1)
        size = min(max(_CHUNK_BYTES // average, 1), _CHUNK_MOST)
