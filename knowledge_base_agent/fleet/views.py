"""What the workers said, as values: frozen, with aware UTC times, and None wherever something is not known."""

from datetime import datetime, timedelta
from enum import StrEnum

from msgspec import Struct

from knowledge_base_agent.fleet.roster import Known

NEEDS_PROCESSES = "tasks run inside the worker's own process, where one can't be killed alone"


class Pool(StrEnum):
    """How a worker runs its tasks; decides what can be stopped."""

    PREFORK = "prefork"
    THREADS = "threads"
    GEVENT = "gevent"
    EVENTLET = "eventlet"
    SOLO = "solo"
    OTHER = "other"


class Place(StrEnum):
    """Where in a worker a task is."""

    ACTIVE = "active"
    RESERVED = "reserved"
    SCHEDULED = "scheduled"


class HeldTask(Struct, frozen=True, kw_only=True):
    """A task that a worker has: running, taken in advance, or waiting for its time."""

    id: str
    name: str
    worker: str
    place: Place
    queue: str | None = None
    """The queue it came from, as far as the worker knows; for foreign workers its routing key."""
    started_at: datetime | None = None
    """When it began to run, UTC. Free of the worker's clock where it knows our own command; else clamped to now."""
    process: int | None = None
    """The id of the process that runs it (of the thread or greenlet, in pools without processes)."""
    redelivered: bool | None = None
    """Whether the broker gave it out before: it may run twice, or has run once already."""
    eta: datetime | None = None
    """When it may start at the earliest, UTC."""
    time_limit: timedelta | None = None
    """After how long the pool is to kill it; None if there is none or it is not known."""
    retries: int | None = None
    group: str | None = None
    chord: bool | None = None
    """Whether a chord's body waits for it: without it the body never runs."""
    root: str | None = None
    parent: str | None = None
    arguments: str | None = None
    """As they are, capped: for those alone who may see them. None unless asked for."""


class WorkerView(Struct, frozen=True, kw_only=True):
    """One worker that answered."""

    name: str
    pid: int | None
    pool: Pool
    concurrency: int | None
    """How many tasks it can run at once."""
    prefetch: int | None
    """How many messages it takes in advance at most; 0 is without limit."""
    busy: int
    """How many tasks it runs."""
    waiting: int
    """How many it has taken and not started."""
    postponed: int
    """How many it keeps until their time."""
    active: tuple[HeldTask, ...]
    reserved: tuple[HeldTask, ...]
    """May be capped: `waiting` is the number."""
    scheduled: tuple[HeldTask, ...]
    """May be capped, the nearest first: `postponed` is the number."""
    queues: tuple[str, ...] | None
    """The queues it consumes."""
    memory_kb: int | None
    """The most memory that its main process ever had, in units of 1,024 bytes."""
    memory_used: int | None = None
    """Bytes that it uses now: its cgroup where that has a limit, else its main and its pool's processes together."""
    memory_allowed: int | None = None
    """Bytes that these may use: the limit of its cgroup, else the memory of its machine."""
    uptime: timedelta | None
    clock: int | None
    """Celery's logical clock; no time of day."""
    skew: timedelta | None
    """How far its wall clock is ahead of ours. For foreign workers None, or at least this much."""
    processes: tuple[int, ...] | None
    """The ids of its pool's processes that live."""
    occupied: tuple[int, ...] | None
    """Those that have a task, even one that was revoked and is no longer listed as active; greenlets on gevent."""
    paused: tuple[str, ...] | None = None
    """The tasks whose messages it sets aside; None where it can't do that, or does not tell."""
    revoked: int | None
    """How many revoked ids it remembers."""
    flagged: frozenset[str] | None
    """Which of the ids asked about it knows as revoked; None if none were asked about, or it can't tell."""
    processed: int | None
    """How many tasks it took on since it started."""
    ours: bool | None
    """Whether it runs our app; None where that can't be told."""
    answered_after: timedelta
    """From the question to its answer."""

    @property
    def can_terminate(self) -> bool | None:
        """Return whether its pool can stop a running task; None for a pool we don't know."""
        if self.pool is Pool.OTHER:
            return None
        return self.pool in (Pool.PREFORK, Pool.GEVENT)

    @property
    def held(self) -> tuple[HeldTask, ...]:
        """Return every task that it listed."""
        return self.active + self.reserved + self.scheduled


class FleetView(Struct, frozen=True, kw_only=True):
    """What was seen when everyone was asked. Says who did not answer: silent is neither idle nor dead."""

    taken_at: datetime
    """When the question went out, UTC."""
    took: timedelta
    receivers: int | None
    """How many workers received the question, foreign ones included; None where the broker can't tell."""
    why_unknown: str | None
    workers: tuple[WorkerView, ...]
    """Those that answered, by name; two of the same name are two."""
    silent: tuple[str, ...]
    """Who received the question and did not answer: busy solo pool, stopped, frozen."""
    unnamed: int | None
    """How many more were silent whose name is not known."""
    duplicates: tuple[str, ...]
    """Names that several workers share: commands reach all of them."""
    roster: tuple[Known, ...]
    """Everyone this process has known, also those who left and may still finish tasks."""
    problems: tuple[str, ...] = ()
    """What could not be read, in sentences."""

    @property
    def answered(self) -> int:
        """Return how many workers answered."""
        return len(self.workers)

    @property
    def complete(self) -> bool | None:
        """Return whether every worker answered; None where the broker can't tell how many there are."""
        if self.silent or self.unnamed or self.problems:
            return False
        return None if self.receivers is None else True

    @property
    def foreign(self) -> tuple[str, ...]:
        """Return the workers of other apps on the same broker: they hear our broadcasts too."""
        return tuple(worker.name for worker in self.workers if worker.ours is False)

    @property
    def held(self) -> tuple[HeldTask, ...]:
        """Return every task that any worker listed."""
        return tuple(task for worker in self.workers for task in worker.held)
