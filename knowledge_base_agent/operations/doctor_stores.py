"""What `doctor` finds about the stores: connections, memory, the broker's timeouts, the database, the recorder."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from knowledge_base_agent.fleet.connections import PROGRESS, NotUsed, Reachable, Unreachable
from knowledge_base_agent.fleet.deadline import Unknown
from knowledge_base_agent.fleet.queue_views import QueueDepth
from knowledge_base_agent.fleet.redis_state import RedisState
from knowledge_base_agent.operations.aside_waiting import aside_finding
from knowledge_base_agent.operations.audit_waiting import waiting_finding, writable_finding
from knowledge_base_agent.operations.doctor_findings import (
    Finding,
    bad,
    fine,
    unknown,
    warning,
)
from knowledge_base_agent.operations.doctor_readings import DatabaseReading, Readings
from knowledge_base_agent.operations.history_figures import RECORDER_SILENT
from knowledge_base_agent.redaction import plain
from knowledge_base_agent.wording import counted, duration, size

if TYPE_CHECKING:
    from knowledge_base_agent.deployment import Deployment

_SHARE_OF_VISIBILITY = 0.8
_CONSUMER_TIMEOUT = timedelta(minutes=30)
"""RabbitMQ's own default; the value in force can't be read over AMQP."""
_FULL = 0.8
_BEHIND = 1000
_MIGRATE = "Run `python -m knowledge_base_agent.cli migrate`."
_RECORDER = "Start `python -m knowledge_base_agent.cli recorder`."


def store_findings(deployment: "Deployment", read: Readings) -> Iterator[Finding]:
    """Yield everything about the stores."""
    yield from _connections(read)
    yield from _memory(read)
    yield _visibility(deployment, read)
    yield _results(deployment)
    yield _unconsumed(read)
    yield from _database(deployment, read)


def _connections(read: Readings) -> Iterator[Finding]:
    if isinstance(read.connections, Unknown):
        yield unknown("Connections", read.connections.reason, "Ask again.")
        return
    for source, health in read.connections.items():
        check = f"{source[:1].upper()}{source[1:]} answers"
        if isinstance(health, Reachable):
            yield fine(check, f"in {duration(health.latency)}")
        elif isinstance(health, NotUsed):
            yield fine(check, "not used")
        else:
            since = (
                f"{health.reason} Away since {health.since:%H:%M:%S} UTC, as this process saw it."
            )
            yield bad(check, since, f"Bring {source} back: its server, its address, its password.")


def _memory(read: Readings) -> Iterator[Finding]:
    if isinstance(read.redis, Unknown):
        yield unknown("Memory of Redis", read.redis.reason, "Ask again.")
        return
    for source, state in read.redis.items():
        check = f"Memory of {source}"
        if isinstance(state, RedisState):
            yield _memory_of(check, state)
        elif "is no Redis" not in state.reason:
            yield unknown(check, state.reason, f"Bring {source} back first.")


def _memory_of(check: str, state: RedisState) -> Finding:
    used = "unknown" if state.used_memory is None else size(state.used_memory)
    most = "no limit" if not state.max_memory else f"of {size(state.max_memory)}"
    said = (
        f"version {state.version or 'unknown'}, {used} {most}, {state.policy or 'policy unknown'}"
    )
    if state.evicted_keys:
        cure = "Give it more memory and set maxmemory-policy noeviction: queued tasks may be among what was dropped."
        return bad(check, f"{said}, {counted(state.evicted_keys, 'key')} evicted", cure)
    if state.may_evict_queues:
        cure = "Set maxmemory-policy noeviction: this one may drop queues when memory is full."
        return warning(check, said, cure)
    if state.max_memory and state.used_memory and state.used_memory > _FULL * state.max_memory:
        return warning(
            check, said, "Give it more memory, or `flush` and `clear`: when full it refuses tasks."
        )
    return fine(check, said)


def _visibility(deployment: "Deployment", read: Readings) -> Finding:
    check = "Time limit against redelivery"
    conf: Any = deployment.app.conf
    limit = timedelta(seconds=conf.task_time_limit) if conf.task_time_limit else None
    if isinstance(read.queues, Unknown):
        return unknown(check, read.queues.reason, "Bring the broker back first.")
    timeout = read.queues.visibility_timeout
    if timeout is None:
        return _consumer_timeout(check, limit, late=bool(conf.task_acks_late))
    cure = "Set broker_transport_options visibility_timeout well above task_time_limit and the longest ETA."
    if limit is None:
        said = f"no time limit; what is not acknowledged after {duration(timeout)} runs again"
        return warning(check, said, f"Set task_time_limit. {cure}")
    said = f"limit {duration(limit)}, redelivered after {duration(timeout)}"
    if limit > _SHARE_OF_VISIBILITY * timeout:
        return warning(check, f"{said}: a long task may run twice", cure)
    return fine(check, said)


def _consumer_timeout(check: str, limit: timedelta | None, *, late: bool) -> Finding:
    if late and (limit is None or limit > _CONSUMER_TIMEOUT):
        said = "tasks acknowledge late and may outlast RabbitMQ's consumer_timeout (30 min unless changed)"
        cure = (
            "Raise consumer_timeout on the server above task_time_limit: else the task runs again."
        )
        return warning(check, said, cure)
    return fine(check, "this broker gives a message out again only when its worker is gone")


def _results(deployment: "Deployment") -> Finding:
    check = "Results expire"
    conf: Any = deployment.app.conf
    expires = conf.result_expires
    if not expires:
        cure = "Set result_expires: results that never expire fill the backend."
        return warning(check, "never", cure)
    span = expires if isinstance(expires, timedelta) else timedelta(seconds=float(expires))
    return fine(check, f"after {duration(span)}; the rows here stay until they are cleared")


def _unconsumed(read: Readings) -> Finding:
    check = "Each queue has a consumer"
    if isinstance(read.queues, Unknown):
        return unknown(check, read.queues.reason, "Bring the broker back first.")
    unheard = [queue for queue in read.queues.queues if queue.consumer_count is None]
    idle = [queue for queue in read.queues.queues if queue.consumer_count == 0]
    if idle:
        return _idle(check, idle, read.database)
    if unheard:
        names = ", ".join(plain(one.name, 80) for one in unheard)
        return unknown(
            check, f"not every worker could be asked: {names}", "Look at the silent workers."
        )
    return fine(check, counted(len(read.queues.queues), "queue"))


def _idle(check: str, idle: Sequence[QueueDepth], database: DatabaseReading | Unknown) -> Finding:
    """Say what to do of each queue that nobody consumes: what is paused was meant to wait, and is no left-over."""
    paused = frozenset() if isinstance(database, Unknown) else database.paused
    waiting = [one for one in idle if one.name in paused]
    lone = [one for one in idle if one.name not in paused]
    said = [f"{plain(one.name, 80)} ({_waits(one.ready)})" for one in lone]
    said += [f"{plain(one.name, 80)} (paused, {_waits(one.ready)})" for one in waiting]
    cures = [f"`resume {plain(one.name, 80)}` when its workers are to go on." for one in waiting]
    if lone and isinstance(database, Unknown):
        cures = ["Start a worker with -Q and this name, or `resume` it if it is paused."]
    elif lone:
        cure = "tart a worker with -Q and this name, or `purge` it if it is left over."
        cures.append(f"For the others: s{cure}" if waiting else f"S{cure}")
    judged = bad if any(one.ready for one in lone) else warning
    return judged(check, ", ".join(said), " ".join(cures))


def _waits(ready: int | None) -> str:
    return "depth unknown" if ready is None else f"{ready:,} waiting"


def _database(deployment: "Deployment", read: Readings) -> Iterator[Finding]:
    database = read.database
    if isinstance(database, Unknown):
        cure = "Look at the database server and DATABASE_URL; nothing can be changed meanwhile."
        yield bad("The database answers", database.reason, cure)
        yield unknown("The recorder writes", "the database is away", cure)
        return
    yield fine("The database answers", f"in {duration(database.latency)}")
    check = "The database is migrated"
    if not database.migrated:
        yield bad(
            check,
            f"it has {database.revision or 'no tables'}, this needs {database.newest}",
            _MIGRATE,
        )
        yield unknown("The recorder writes", "the database is not migrated", _MIGRATE)
        return
    yield fine(check, f"revision {database.revision}")
    yield recorder_finding(read, database)
    yield _gaps(database)
    yield writable_finding(database.audit_lost)
    if database.audit is not None:
        yield waiting_finding(database.audit, deployment.settings.audit_channel, read.taken_at)
    if database.aside is not None:
        yield aside_finding(database.aside, read.taken_at)


def recorder_finding(read: Readings, database: DatabaseReading) -> Finding:
    """Return whether the recorder writes, and what keeps it from that."""
    check, recorder = "The recorder writes", database.recorder
    if recorder is None:
        return bad(check, "none has ever run, so the database knows no tasks", _RECORDER)
    silent = read.taken_at - recorder.updated_at
    if silent > RECORDER_SILENT:
        stores = read.connections
        if isinstance(stores, Unknown) or isinstance(stores.get(PROGRESS), Unreachable):
            said = f"silent for {duration(silent)}, and the progress store, which it reads, does not answer"
            return warning(check, said, "Look at the progress store first; it goes on by itself.")
        return bad(check, f"silent for {duration(silent)}: rows are as old as that", _RECORDER)
    behind = counted(recorder.lag, "entry", "entries")
    if recorder.lag > _BEHIND:
        return warning(
            check, f"{behind} behind", "Wait; if it grows, look at the database's speed."
        )
    return fine(check, f"{behind} behind")


def _gaps(database: DatabaseReading) -> Finding:
    check = "The history is whole"
    if not database.gaps:
        return fine(check, "no gap in the last 24 h")
    lost = [gap.lost for gap in database.gaps]
    known = None if None in lost else sum(one or 0 for one in lost)
    said = (
        f"{counted(len(lost), 'gap')} in the last 24 h, {counted(known, 'entry', 'entries')} lost"
    )
    return warning(check, said, "Keep the recorder running, or raise KB_HISTORY_CAP.")
