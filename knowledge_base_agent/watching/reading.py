"""One reading of everything that the watcher looks at: one question to the workers, depths, INFO, indexed rows.

Each part stands alone: one that can't be read is `Unknown`, and what hangs on it is not judged.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, TypeVar

from knowledge_base_agent.clock import utc_now
from knowledge_base_agent.fleet.deadline import Deadline, Unknown, gather
from knowledge_base_agent.fleet.queue_views import QueuesView
from knowledge_base_agent.fleet.redis_state import RedisState, read_states
from knowledge_base_agent.fleet.views import FleetView
from knowledge_base_agent.operations.redis_figures import redis_servers
from knowledge_base_agent.operations.stuckness import SETTLING
from knowledge_base_agent.records.beat_sign import last_sign_of_beat
from knowledge_base_agent.records.database import reading as database_reading
from knowledge_base_agent.records.pauses import all_pauses
from knowledge_base_agent.records.recorder_state import RecorderState, read_recorder_state
from knowledge_base_agent.records.states import FINISHED
from knowledge_base_agent.records.task_history import TaskRecord, counts, rows_by_ids, unfinished
from knowledge_base_agent.records.task_retries import retried_as

if TYPE_CHECKING:
    from knowledge_base_agent.deployment import Deployment

SECONDS = 6.0
"""How long one reading may take, all in all."""
_LOOK_SECONDS = 3.0
_MOST_ROWS = 500
_WORKERS, _ROWS, _REDIS, _BEAT = "the workers", "the database", "Redis", "beat"
T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Rows:
    """What the database says."""

    by_state: Mapping[str, int]
    recorder: RecorderState | None
    running: tuple[TaskRecord, ...]
    """Rows that say a task runs, for longer than rows take to settle."""
    ended: Mapping[str, str] = field(default_factory=dict)
    """Of the ids asked about: the final states of those whose rows say that they ended."""
    sent_again: Mapping[str, str] = field(default_factory=dict)
    """Of the running rows and the ids asked about: those that somebody sent again, and as what."""
    paused: Mapping[str, str] = field(default_factory=dict)
    """The queues that are paused on purpose, and by whom."""


@dataclass(frozen=True, kw_only=True)
class Reading:
    """Everything, as it was at `taken_at` (aware UTC)."""

    taken_at: datetime
    took: timedelta = timedelta()
    fleet: FleetView | Unknown
    queues: QueuesView | Unknown
    mailboxes: frozenset[str] | None = None
    """The workers whose mailbox is bound on Redis: one that said goodbye took it along, a killed one left it."""
    rows: Rows | Unknown
    redis: Mapping[str, RedisState | Unknown] = field(default_factory=dict)
    """By what each server is used for."""
    beat: datetime | Unknown | None = None
    """When celery beat last said that it ticks; None where it never has."""


@dataclass(frozen=True, kw_only=True)
class _Broker:
    fleet: FleetView
    queues: QueuesView | Unknown
    mailboxes: frozenset[str] | None


def take_reading(deployment: "Deployment", ask_about: Collection[str] = ()) -> Reading:
    """Read it all at once; `ask_about` are tasks whose end is looked for in the rows. Never raises for what is away."""
    deadline, started = Deadline.after(SECONDS), utc_now()
    servers = redis_servers(deployment.settings)
    calls: dict[str, Callable[[], object]] = {
        _WORKERS: lambda: _broker(deployment, deadline),
        _ROWS: lambda: _rows(deployment, ask_about),
        _REDIS: lambda: read_states(deadline, deployment.redis_clients, servers),
        _BEAT: lambda: last_sign_of_beat(deployment.progress_redis),
    }
    found = gather(deadline, calls)
    broker = _as(_Broker, found[_WORKERS])
    redis = _as(dict, found[_REDIS])
    known = broker if isinstance(broker, _Broker) else None
    beat = found[_BEAT]
    return Reading(
        taken_at=utc_now(),
        took=utc_now() - started,
        fleet=known.fleet if known else _as(Unknown, broker),
        queues=known.queues if known else _as(Unknown, broker),
        mailboxes=known.mailboxes if known else None,
        rows=_as(Rows, found[_ROWS]),
        redis=dict.fromkeys(servers, redis) if isinstance(redis, Unknown) else redis,
        beat=None if beat is None else _as(datetime, beat),
    )


def _broker(deployment: "Deployment", deadline: Deadline) -> _Broker:
    """Ask workers first: what they know of their queues finds queues that the settings don't name."""
    fleet = deployment.fleet.workers.look(deadline.at_most(_LOOK_SECONDS))
    calls: dict[str, Callable[[], object]] = {
        "the broker": lambda: deployment.fleet.queues.depths(deadline, fleet),
        "the mailboxes": lambda: deployment.fleet.mailboxes(deadline),
    }
    found = gather(deadline, calls)
    mailboxes = found["the mailboxes"]
    return _Broker(
        fleet=fleet,
        queues=_as(QueuesView, found["the broker"]),
        mailboxes=mailboxes if isinstance(mailboxes, frozenset) else None,
    )


def _rows(deployment: "Deployment", ask_about: Collection[str]) -> Rows:
    with database_reading(deployment.engine) as connection:
        asked = rows_by_ids(connection, ask_about)
        running = tuple(
            unfinished(connection, started_before=utc_now() - SETTLING, limit=_MOST_ROWS)
        )
        return Rows(
            by_state=counts(connection),
            recorder=read_recorder_state(connection),
            running=running,
            sent_again=retried_as(connection, [*{one.id for one in running} | set(ask_about)]),
            paused={one.queue: one.by for one in all_pauses(connection) if one.lasts},
            ended={one.id: one.state for one in asked.values() if one.state in FINISHED},
        )


def _as(kind: type[T], found: object) -> T | Unknown:
    if isinstance(found, kind | Unknown):
        return found
    raise TypeError(f"{kind.__name__} was asked for, and {type(found).__name__} came")
