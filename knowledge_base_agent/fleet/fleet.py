"""The fleet as one value: what operations are given. Made once a process, closed at its end."""

from collections.abc import Callable, Collection, Sequence
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any

from celery import Celery

from knowledge_base_agent.fleet.broadcast import SOURCE as BROKER
from knowledge_base_agent.fleet.broadcast import Broadcaster
from knowledge_base_agent.fleet.broker import Broker
from knowledge_base_agent.fleet.connections import LOGS, PROGRESS, RESULTS, Connections, Health
from knowledge_base_agent.fleet.deadline import Deadline, Unknown, within
from knowledge_base_agent.fleet.question import Answers, Question
from knowledge_base_agent.fleet.queues import Queues
from knowledge_base_agent.fleet.redis_state import RedisClients, RedisState, read_states
from knowledge_base_agent.fleet.sightings import Sightings
from knowledge_base_agent.fleet.views import FleetView
from knowledge_base_agent.fleet.workers import Workers

if TYPE_CHECKING:
    from knowledge_base_agent.fleet.amqp_asides import AmqpAsides
    from knowledge_base_agent.fleet.asides import Asides
    from knowledge_base_agent.fleet.parking import Parking
    from knowledge_base_agent.fleet.pending import PendingMessages, PendingSearch
    from knowledge_base_agent.fleet.purging import Purging
    from knowledge_base_agent.fleet.queue_contents import QueueContents
    from knowledge_base_agent.fleet.revoking import NodeAnswer, RevokeOutcome, Revoking
    from knowledge_base_agent.fleet.verifying import Verdict
    from knowledge_base_agent.fleet.whereabouts import Whereabouts


class Fleet:
    """Everything that can be asked of, or told to, the workers and the stores of one Celery app.

    Synchronous and safe to use from many threads; each call takes a `Deadline` and keeps it. What can't be reached
    raises `Away`; what can't be known is None or named as unknown in the answer. The parts can be used directly:
    `workers.look`, `queues.depths`, `messages.find`, `purging.purge`, `connections.check`. What changes workers takes a
    fleet and lives beside it: `consuming`, `shutting_down`, `pool_size`, `rate_limits`.
    """

    def __init__(
        self,
        app: Celery,
        *,
        progress_url: str | None = None,
        logs_url: str | None = None,
        sightings: Sightings | None = None,
        clients: RedisClients | None = None,
    ) -> None:
        self.app = app
        self.broadcaster = Broadcaster(app)
        self.workers = Workers(app, self.broadcaster)
        self._broker = Broker(app)
        self.queues = Queues(app, self._broker)
        self._clients = clients or RedisClients()
        stores = {PROGRESS: progress_url, LOGS: logs_url}
        self._stores = {name: url for name, url in stores.items() if url}
        self.sightings = sightings or Sightings()
        self.connections = Connections(
            app, self._broker, self._clients, self._stores, self.sightings
        )

    # What follows is loaded when first used: in the shell each word starts a new process, and needs little of it.

    @cached_property
    def messages(self) -> "PendingMessages":
        """The messages that wait in queues."""
        from knowledge_base_agent.fleet.pending import PendingMessages

        return PendingMessages(self.app, self._broker)

    @cached_property
    def contents(self) -> "QueueContents":
        """What waits, by the names of tasks."""
        from knowledge_base_agent.fleet.queue_contents import QueueContents

        return QueueContents(self._broker)

    @cached_property
    def purging(self) -> "Purging":
        """What empties queues."""
        from knowledge_base_agent.fleet.purging import Purging

        return Purging(self.app, self._broker)

    @cached_property
    def asides(self) -> "Asides":
        """What a purge on Redis took aside."""
        from knowledge_base_agent.fleet.asides import Asides

        return Asides(self._broker)

    @cached_property
    def amqp_asides(self) -> "AmqpAsides":
        """What a purge on RabbitMQ took aside."""
        from knowledge_base_agent.fleet.amqp_asides import AmqpAsides

        return AmqpAsides(self.app)

    @cached_property
    def parking(self) -> "Parking":
        """Where the messages of paused tasks wait."""
        from knowledge_base_agent.fleet.parking import Parking

        return Parking(self._broker)

    @cached_property
    def revoking(self) -> "Revoking":
        """What revokes tasks."""
        from knowledge_base_agent.fleet.revoking import Revoking

        return Revoking(self.broadcaster, self.connections)

    @property
    def broker_is_redis(self) -> bool:
        """Whether the broker is Redis, which lets itself be looked into; AMQP tells neither ages nor who was killed."""
        return self._broker.is_redis

    def find_pending(self, deadline: Deadline, ids: Collection[str]) -> "PendingSearch":
        """Look for tasks among the waiting messages: see `PendingMessages.find`."""
        return self.messages.find(deadline, ids)

    def locate(
        self,
        deadline: Deadline,
        ids: Collection[str],
        *,
        known: Collection[str] = (),
        arguments: bool = False,
    ) -> "Whereabouts":
        """Say where each id is: see `locate`."""
        from knowledge_base_agent.fleet.whereabouts import locate

        return locate(deadline, self.workers, self.messages, ids, known=known, arguments=arguments)

    def tellable(self, fleet: FleetView) -> tuple[str, ...]:
        """Return the names that commands go to: all but the workers of other apps; the silent may still hear."""
        answered = {worker.name for worker in fleet.workers if worker.ours is not False}
        silent = {name for name in fleet.silent if self.workers.ours(name) is not False}
        return tuple(sorted(answered | silent))

    def revoke(
        self,
        deadline: Deadline,
        ids: Sequence[str],
        *,
        destination: Sequence[str],
        terminate: bool = False,
        signal: str = "SIGTERM",
        portions: Callable[[int, int], bool] | None = None,
    ) -> "RevokeOutcome":
        """Tell workers to drop or stop tasks: see `Revoking.revoke`. `tellable` gives the destination."""
        return self.revoking.revoke(
            deadline,
            ids,
            destination=destination,
            terminate=terminate,
            signal=signal,
            portions=portions,
        )

    def kill(self, deadline: Deadline, worker: str, process: int) -> "NodeAnswer":
        """Kill the process of a revoked task that ignores its signal: see `Revoking.kill`."""
        return self.revoking.kill(deadline, worker, process)

    def verify_stopped(
        self, deadline: Deadline, ids: Collection[str], before: FleetView
    ) -> "dict[str, Verdict]":
        """Look again until the tasks have stopped: see `verify_stopped`."""
        from knowledge_base_agent.fleet.verifying import verify_stopped

        return verify_stopped(deadline, self.workers, ids, before)

    def command(
        self, deadline: Deadline, command: str, destination: Sequence[str], **arguments: object
    ) -> Answers:
        """Send one control command that changes something to these workers, once, and return what each said."""
        question = Question(
            command=command, arguments=arguments, destination=tuple(destination), reads=False
        )
        return self.broadcaster.ask(deadline, question)

    def check(self, deadline: Deadline) -> dict[str, Health]:
        """Ask whether the broker, the result backend and the stores answer: see `Connections.check`."""
        return self.connections.check(deadline)

    def ping_results(self, deadline: Deadline) -> timedelta | None:
        """Ask the result backend alone: see `Connections.ping_results`."""
        return self.connections.ping_results(deadline)

    def redis_states(self, deadline: Deadline) -> dict[str, RedisState | Unknown]:
        """Read memory, eviction and latency of each Redis that is configured, by the name of the source."""
        conf: Any = self.app.conf
        urls = {BROKER: conf.broker_write_url or conf.broker_url, RESULTS: conf.result_backend}
        urls = {name: str(url) for name, url in urls.items() if url}
        return read_states(deadline, self._clients, urls | self._stores)

    def mailboxes(self, deadline: Deadline) -> frozenset[str] | None:
        """Return the workers whose mailbox is bound on Redis, the killed included; None on other brokers.

        A worker that shuts down takes its mailbox along, so one that neither answers nor took it was killed or cut off.
        """
        from knowledge_base_agent.fleet.discovery import bound_mailboxes

        return within(
            deadline, lambda: bound_mailboxes(self._broker, self._namespace()), source=BROKER
        )

    def _namespace(self) -> str:
        control: Any = self.app.control
        return str(control.mailbox.namespace)

    def close(self) -> None:
        """Close every connection."""
        self.broadcaster.close()
        self._broker.close()
        self._clients.close()
