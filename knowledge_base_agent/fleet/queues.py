"""How much work waits, and where: every queue that settings, workers or the broker know."""

from collections import Counter
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta

from celery import Celery
from msgspec.structs import replace

from knowledge_base_agent.clock import utc_now
from knowledge_base_agent.fleet.amqp_depth import AmqpQueue, read_amqp
from knowledge_base_agent.fleet.away import away_if_down
from knowledge_base_agent.fleet.broadcast import SOURCE
from knowledge_base_agent.fleet.broker import Broker, RedisBroker
from knowledge_base_agent.fleet.deadline import Deadline, within
from knowledge_base_agent.fleet.discovery import Bindings, Origin, is_tasks_queue, of_settings
from knowledge_base_agent.fleet.parking_names import INDEX as PARKED
from knowledge_base_agent.fleet.queue_views import QueueDepth, QueuesView
from knowledge_base_agent.fleet.redis_depth import (
    UNACKED_LIMIT,
    Ready,
    Unacked,
    read_ready,
    read_unacked_totals,
    tell_unacked_apart,
)
from knowledge_base_agent.fleet.views import FleetView

_LONGEST_NAME = 255
_NO_REDIS = "RabbitMQ does not tell unacknowledged messages, priorities or ages over AMQP."


class Queues:
    """The queues of one Celery app. Made once a process; safe to use from many threads."""

    def __init__(self, app: Celery, broker: Broker) -> None:
        self._app = app
        self._broker = broker
        self._bindings = Bindings()

    def depths(
        self, deadline: Deadline, fleet: FleetView | None = None, *, asked: Collection[str] = ()
    ) -> QueuesView:
        """Measure every queue. `fleet` adds what workers know: their queues, who consumes, what waits for its time.

        Queues that are `asked` for by name are looked for in the broker at once, where nobody else knows them. Raises
        `Away` when the broker does not answer in time.
        """
        return within(deadline, lambda: self._depths(deadline, fleet, asked), source=SOURCE)

    def _depths(
        self, deadline: Deadline, fleet: FleetView | None, asked: Collection[str]
    ) -> QueuesView:
        started = utc_now()
        origins: dict[str, set[Origin]] = {}
        for name in of_settings(self._app):
            origins.setdefault(name, set()).add(Origin.SETTINGS)
        for worker in fleet.workers if fleet else ():
            for name in worker.queues or ():
                origins.setdefault(name, set()).add(Origin.WORKERS)
        sought = {name for name in asked if name not in origins and _may_be(name)}
        with away_if_down(SOURCE):
            if self._broker.is_redis:
                return self._on_redis(deadline, fleet, origins, started, sought)
            return self._on_amqp(fleet, origins, started, sought)

    def _on_redis(
        self,
        deadline: Deadline,
        fleet: FleetView | None,
        origins: dict[str, set[Origin]],
        started: datetime,
        sought: Collection[str],
    ) -> QueuesView:
        broker = self._broker.redis()
        routes = self._bindings.read(broker, deadline.at_most(0.5), self._exchanges(), sought)
        for name in routes.values():
            origins.setdefault(name, set()).add(Origin.BROKER)
        ready = read_ready(broker, sorted(origins))
        unacked = self._unacked(broker, deadline, routes)
        depths = [_on_redis(name, ready[name], unacked, origins[name]) for name in sorted(origins)]
        notes = [] if self._bindings.complete else ["Not every key was looked at for other queues."]
        if unacked.total and unacked.by_queue is None:
            notes.append("There are too many unacknowledged messages to tell them apart by queue.")
        return QueuesView(
            taken_at=started,
            took=utc_now() - started,
            queues=tuple(_with_workers(depth, fleet) for depth in depths),
            unacked_total=unacked.total,
            unacked_oldest_at=unacked.oldest_at,
            visibility_timeout=timedelta(seconds=broker.keys.visibility_seconds),
            notes=tuple(notes),
        )

    def _unacked(
        self, broker: RedisBroker, deadline: Deadline, routes: Mapping[tuple[str, str], str]
    ) -> Unacked:
        totals = read_unacked_totals(broker)
        if not totals.total or totals.total > UNACKED_LIMIT:
            return totals
        return replace(totals, by_queue=tell_unacked_apart(broker, deadline.at_most(0.5), routes))

    def _exchanges(self) -> set[str]:
        queues = self._app.amqp.queues.values()
        return {str(queue.exchange.name) for queue in queues} - {""}

    def _on_amqp(
        self,
        fleet: FleetView | None,
        origins: dict[str, set[Origin]],
        started: datetime,
        sought: Collection[str],
    ) -> QueuesView:
        found = read_amqp(self._app, sorted({*origins, *sought}))
        origins |= {name: {Origin.BROKER} for name in sought if found[name] is not None}
        depths = [_on_amqp(name, found[name], origins[name]) for name in sorted(origins)]
        return QueuesView(
            taken_at=started,
            took=utc_now() - started,
            queues=tuple(_with_workers(depth, fleet) for depth in depths),
            unacked_total=None,
            unacked_oldest_at=None,
            visibility_timeout=None,
            notes=(_NO_REDIS,),
        )


def _may_be(name: str) -> bool:
    """Tell whether there can be a queue of that name that is not ours: AMQP has 255 bytes for it."""
    mine = name.startswith(f"{PARKED}:")
    return is_tasks_queue(name) and not mine and len(name.encode()) <= _LONGEST_NAME


def _on_redis(name: str, ready: Ready, unacked: Unacked, origins: set[Origin]) -> QueueDepth:
    return QueueDepth(
        name=name,
        ready=sum(ready.by_priority.values()),
        by_priority=ready.by_priority,
        unacked=None if unacked.by_queue is None else unacked.by_queue.get(name, 0),
        oldest_at=ready.oldest_at,
        oldest_known=ready.oldest_known,
        origins=frozenset(origins),
    )


def _on_amqp(name: str, found: AmqpQueue | None, origins: set[Origin]) -> QueueDepth:
    if found is None:  # declared nowhere yet: nothing can wait in it
        return QueueDepth(
            name=name, ready=0, unacked=0, oldest_known=True, origins=frozenset(origins)
        )
    return QueueDepth(
        name=name,
        ready=found.messages,
        consumer_count=found.consumers,
        oldest_known=found.messages == 0,
        origins=frozenset(origins | {Origin.BROKER}),
    )


def _with_workers(depth: QueueDepth, fleet: FleetView | None) -> QueueDepth:
    """Add what the workers know, where all of them answered; a silent one may consume anything."""
    if fleet is None or fleet.complete is False:
        return depth
    consumers = tuple(w.name for w in fleet.workers if depth.name in (w.queues or ()))
    later = Counter(task.queue for worker in fleet.workers for task in worker.scheduled)
    capped = any(worker.postponed > len(worker.scheduled) for worker in fleet.workers)
    return replace(
        depth,
        consumers=consumers,
        consumer_count=len(consumers) if depth.consumer_count is None else depth.consumer_count,
        scheduled=None if capped else later[depth.name],
    )
