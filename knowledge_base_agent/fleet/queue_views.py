"""What is waiting, as values. None is unknown, never zero; times are aware UTC."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from msgspec import Struct

from knowledge_base_agent.fleet.discovery import Origin


class QueueDepth(Struct, frozen=True, kw_only=True):
    """One queue."""

    name: str
    ready: int | None
    """Messages that any worker may take, all priorities together."""
    by_priority: Mapping[int, int] | None = None
    """The same by priority step; None where the broker does not tell."""
    unacked: int | None = None
    """Messages that a worker has and did not acknowledge: taken in advance, waiting for their time, late-acked."""
    scheduled: int | None = None
    """Of those, the ones that workers say they keep until their time. None if a worker is silent."""
    oldest_at: datetime | None = None
    """When the oldest ready message was published. None: there is none, or it does not say (see `oldest_known`)."""
    oldest_known: bool = False
    """Whether `oldest_at` can be believed when it is None: nothing waits."""
    consumers: tuple[str, ...] | None = None
    """The workers that consume it. None if that could not be asked of everyone."""
    consumer_count: int | None = None
    """How many consume it: RabbitMQ's own count, else the number of `consumers`."""
    origins: frozenset[Origin] = frozenset()
    """Who told that there is such a queue."""

    @property
    def backlog(self) -> int | None:
        """Return everything that was sent and not finished or acknowledged, or None if a part is unknown."""
        if self.ready is None or self.unacked is None:
            return None
        return self.ready + self.unacked


class QueuesView(Struct, frozen=True, kw_only=True):
    """All queues that were found."""

    taken_at: datetime
    took: timedelta
    queues: tuple[QueueDepth, ...]
    """By name."""
    unacked_total: int | None
    """Unacknowledged messages of every queue on this broker, other apps' included."""
    unacked_oldest_at: datetime | None
    """When the longest unacknowledged message was given to a worker."""
    visibility_timeout: timedelta | None
    """After how long an unacknowledged message is given out again (Redis)."""
    notes: tuple[str, ...] = ()
    """What could not be read and why, in sentences."""

    def named(self, name: str) -> QueueDepth | None:
        """Return the queue of this name, or None if none was found."""
        return next((queue for queue in self.queues if queue.name == name), None)
