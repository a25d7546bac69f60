"""What `doctor` reads, all at once, before it judges: each part is a value or says why it is unknown."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from time import perf_counter
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy import Connection

from knowledge_base_agent.audit_outbox import Backlog, backlog
from knowledge_base_agent.clock import utc_now
from knowledge_base_agent.fleet.connections import Health
from knowledge_base_agent.fleet.deadline import Deadline, Unknown, gather
from knowledge_base_agent.fleet.question import Question
from knowledge_base_agent.fleet.queue_views import QueuesView
from knowledge_base_agent.fleet.redis_state import RedisState
from knowledge_base_agent.fleet.views import FleetView, WorkerView
from knowledge_base_agent.operations.headcount import LOOK_SECONDS
from knowledge_base_agent.problems import Lost
from knowledge_base_agent.records.audit_chain import read_head
from knowledge_base_agent.records.database import reading
from knowledge_base_agent.records.keepsakes import Held, held
from knowledge_base_agent.records.pauses import all_pauses
from knowledge_base_agent.records.recorder_state import (
    HistoryGap,
    RecorderState,
    gaps_since,
    read_recorder_state,
)
from knowledge_base_agent.records.schema import newest_revision, schema_revision

if TYPE_CHECKING:
    from knowledge_base_agent.deployment import Deployment

_SECONDS = 2.2
_CONNECT_SECONDS = 1.5
_GAPS_WITHIN = timedelta(hours=24)
Read = TypeVar("Read")


@dataclass(frozen=True, kw_only=True)
class DatabaseReading:
    """What the database says of itself and of the recorder. The rest needs today's schema."""

    latency: timedelta
    revision: str | None
    newest: str | None
    recorder: RecorderState | None = None
    gaps: tuple[HistoryGap, ...] = ()
    audit: Backlog | None = None
    audit_lost: Lost | None = None
    aside: Held | None = None
    paused: frozenset[str] = frozenset()
    """The queues that somebody has paused."""

    @property
    def migrated(self) -> bool:
        """Whether its schema is the one that this program was written for."""
        return self.revision == self.newest


@dataclass(frozen=True, kw_only=True)
class Readings:
    """Everything at one moment. `settings` and `reports` are the workers' own words, by worker."""

    taken_at: datetime
    fleet: FleetView | Unknown
    queues: QueuesView | Unknown
    settings: Mapping[str, Mapping[str, Any]]
    reports: Mapping[str, str]
    connections: Mapping[str, Health] | Unknown
    redis: Mapping[str, RedisState | Unknown] | Unknown
    database: DatabaseReading | Unknown

    @property
    def ours(self) -> tuple[WorkerView, ...]:
        """The workers that answered and run our app, or may."""
        if isinstance(self.fleet, Unknown):
            return ()
        return tuple(worker for worker in self.fleet.workers if worker.ours is not False)

    def told(self, setting: str, default: object) -> dict[str, object]:
        """Return a setting of each of our workers that told its settings; `default` is Celery's own."""
        names = {worker.name for worker in self.ours}
        return {
            name: said.get(setting, default)
            for name, said in self.settings.items()
            if name in names
        }


def read_all(deployment: "Deployment") -> Readings:
    """Ask everyone at once; never raises for who is away."""
    deadline = Deadline.after(_SECONDS)
    calls: dict[str, Callable[[], object]] = {
        "the workers": partial(_fleet_and_queues, deployment, deadline),
        "the workers' settings": partial(_words_of_workers, deployment),
        "the connections": lambda: deployment.fleet.check(deadline.at_most(_CONNECT_SECONDS)),
        "Redis": lambda: deployment.fleet.redis_states(deadline.at_most(_CONNECT_SECONDS)),
        "the database": partial(_database, deployment),
    }
    found = gather(deadline, calls)
    both, words = found["the workers"], found["the workers' settings"]
    fleet, queues = both if isinstance(both, tuple) else (both, both)
    settings, reports = words if isinstance(words, tuple) else ({}, {})
    return Readings(
        taken_at=utc_now(),
        fleet=_as(FleetView, fleet),
        queues=_as(QueuesView, queues),
        settings=settings,
        reports=reports,
        connections=_as(dict, found["the connections"]),
        redis=_as(dict, found["Redis"]),
        database=_as(DatabaseReading, found["the database"]),
    )


def _as(kind: type[Read], found: object) -> Read | Unknown:
    if isinstance(found, kind | Unknown):
        return found
    raise TypeError(f"{kind.__name__} was asked for, and {type(found).__name__} came")


def _fleet_and_queues(
    deployment: "Deployment", deadline: Deadline
) -> tuple[FleetView, QueuesView | Unknown]:
    view = deployment.fleet.workers.look(deadline.at_most(LOOK_SECONDS))
    queues: QueuesView | Unknown = gather(
        deadline, {"the queues": lambda: deployment.fleet.queues.depths(deadline, view)}
    )["the queues"]
    return view, queues


def _words_of_workers(
    deployment: "Deployment",
) -> tuple[Mapping[str, Mapping[str, Any]], Mapping[str, str]]:
    """Ask for the settings that differ from Celery's own, and for the versions. Secrets stay in the worker."""
    questions = [Question(command="conf"), Question(command="report")]
    conf, report = deployment.fleet.broadcaster.ask_all(Deadline.after(LOOK_SECONDS), questions)
    settings = {r.worker: r.body for r in conf.replies if isinstance(r.body, dict)}
    reports = {
        r.worker: str(r.body.get("ok", "")) for r in report.replies if isinstance(r.body, dict)
    }
    return settings, reports


def _lost(connection: Connection) -> Lost | None:
    """Return why no entry of the audit can be written, or None where one can."""
    try:
        read_head(connection)
    except Lost as problem:
        return problem
    return None


def _database(deployment: "Deployment") -> DatabaseReading:
    newest = newest_revision()
    with reading(deployment.engine) as connection:
        started = perf_counter()
        revision = schema_revision(connection)
        latency = timedelta(seconds=perf_counter() - started)
        if revision != newest:  # older tables may lack what is read next
            return DatabaseReading(latency=latency, revision=revision, newest=newest)
        return DatabaseReading(
            latency=latency,
            revision=revision,
            newest=newest,
            recorder=read_recorder_state(connection),
            gaps=tuple(gaps_since(connection, utc_now() - _GAPS_WITHIN)),
            audit=backlog(connection),
            audit_lost=_lost(connection),
            aside=held(connection),
            paused=frozenset(one.queue for one in all_pauses(connection) if one.lasts),
        )
