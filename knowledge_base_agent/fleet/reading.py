"""From what a worker said about itself, in our own command's words, to a `WorkerView`. Pure; trusts no type."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, TypedDict

from knowledge_base_agent.fleet.question import Reply
from knowledge_base_agent.fleet.views import HeldTask, Place, Pool, WorkerView
from knowledge_base_agent.fleet.worker_words import FIELDS
from knowledge_base_agent.redaction import Raw, shown

ARGUMENTS_LIMIT = 1024

_POOLS = {
    "prefork": Pool.PREFORK,
    "asynpool": Pool.PREFORK,
    "thread": Pool.THREADS,
    "gevent": Pool.GEVENT,
    "eventlet": Pool.EVENTLET,
    "solo": Pool.SOLO,
}


class Figures(TypedDict):
    """The part of a `WorkerView` that a worker tells of itself as single figures."""

    pid: int | None
    pool: Pool
    concurrency: int | None
    prefetch: int | None
    queues: tuple[str, ...] | None
    memory_kb: int | None
    memory_used: int | None
    memory_allowed: int | None
    uptime: timedelta | None
    clock: int | None
    processes: tuple[int, ...] | None
    occupied: tuple[int, ...] | None
    revoked: int | None
    processed: int | None


def read_look(reply: Reply, sent_at: datetime, our_app: str | None) -> WorkerView:
    """Read an answer to our own command."""
    said: Mapping[str, Any] = reply.body
    after = timedelta(seconds=reply.after)
    heard_at = sent_at + after
    counts = (*(numbers(said.get("counts")) or ()), 0, 0, 0)

    def tasks(place: Place) -> tuple[HeldTask, ...]:
        rows = said.get(place)
        if not rows or not isinstance(rows, list):
            return ()
        kept = [row for row in rows if isinstance(row, list)]
        return tuple(_task(row, reply.worker, place, heard_at) for row in kept)

    return WorkerView(
        name=reply.worker,
        busy=counts[0],
        waiting=counts[1],
        postponed=counts[2],
        active=tasks(Place.ACTIVE),
        reserved=tasks(Place.RESERVED),
        scheduled=tasks(Place.SCHEDULED),
        skew=_skew(seconds(said.get("now")), heard_at),
        paused=texts(said.get("paused")),
        flagged=None if (flagged := texts(said.get("flagged"))) is None else frozenset(flagged),
        ours=_ours(said.get("app"), our_app),
        answered_after=after,
        **_figures(said),
    )


def _figures(said: Mapping[str, Any]) -> Figures:
    room = (*(numbers(said.get("room")) or ()), None, None)
    return Figures(
        pid=number(said.get("pid")),
        pool=pool_of(said.get("pool")),
        concurrency=number(said.get("size")),
        prefetch=number(said.get("prefetch")),
        queues=texts(said.get("queues")),
        memory_kb=number(said.get("memory")),
        memory_used=room[0],
        memory_allowed=room[1],
        uptime=seconds(said.get("uptime")),
        clock=number(said.get("clock")),
        processes=numbers(said.get("processes")),
        occupied=numbers(said.get("occupied")),
        revoked=number(said.get("revoked")),
        processed=number(said.get("processed")),
    )


def _skew(now: timedelta | None, heard_at: datetime) -> timedelta | None:
    return None if now is None else now - timedelta(seconds=heard_at.timestamp())


def _ours(theirs: object, our_app: str | None) -> bool | None:
    return theirs == our_app if theirs and our_app else None


def _task(row: list[Any], worker: str, place: Place, heard_at: datetime) -> HeldTask:
    said = dict(zip(FIELDS, row, strict=False))
    age = seconds(said.get("age"))
    arguments = said.get("arguments")
    return HeldTask(
        id=str(said.get("id")),
        name=str(said.get("name")),
        worker=worker,
        place=place,
        queue=text(said.get("queue")),
        # The age was taken on the worker's own clock, so a wrong wall clock cancels out.
        started_at=None if age is None else before(heard_at, max(age, timedelta())),
        process=number(said.get("process")),
        redelivered=flag(said.get("redelivered")),
        eta=moment(said.get("eta")),
        time_limit=seconds(said.get("limit")),
        retries=number(said.get("retries")),
        group=text(said.get("group")),
        chord=flag(said.get("chord")),
        root=text(said.get("root")),
        parent=text(said.get("parent")),
        arguments=None if arguments is None else shown(Raw(arguments), ARGUMENTS_LIMIT),
    )


def before(moment_: datetime, span: timedelta) -> datetime | None:
    """Return the moment that is `span` earlier, or None if there is no such date."""
    try:
        return moment_ - span
    except OverflowError:
        return None


def pool_of(implementation: object) -> Pool:
    """Return the pool that `module:Class` names."""
    return _pool_named(str(implementation))


@lru_cache(maxsize=64)
def _pool_named(implementation: str) -> Pool:
    module = implementation.split(":")[0]
    return next((pool for word, pool in _POOLS.items() if word in module), Pool.OTHER)


def number(value: object) -> int | None:
    """Return a whole number, or None for anything else."""
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def numbers(value: object) -> tuple[int, ...] | None:
    """Return whole numbers, or None if it is no list."""
    return (
        tuple([one for one in value if isinstance(one, int)]) if isinstance(value, list) else None
    )


def seconds(value: object) -> timedelta | None:
    """Return a span given in seconds, or None."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return timedelta(seconds=value)
    except (OverflowError, ValueError):
        return None


def text(value: object) -> str | None:
    """Return text that is not empty, or None."""
    return value if isinstance(value, str) and value else None


def texts(value: object) -> tuple[str, ...] | None:
    """Return a list of texts, or None if it is no list."""
    return tuple(map(str, value)) if isinstance(value, list) else None


def flag(value: object) -> bool | None:
    """Return a yes or no, or None."""
    return value if isinstance(value, bool) else None


def moment(value: object) -> datetime | None:
    """Return an ISO 8601 time as aware UTC, or None. One without a zone is UTC, as Celery sends it."""
    if not isinstance(value, str):
        return None
    try:
        read = datetime.fromisoformat(value)
        return (read if read.tzinfo else read.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def wall_time(value: object) -> datetime | None:
    """Return seconds since 1970 as aware UTC, or None."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return datetime.fromtimestamp(value, UTC)
    except (ValueError, OverflowError, OSError):
        return None
