"""From Celery's own five answers to a `WorkerView`, for workers that do not know our command. Pure."""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from msgspec import Struct

from knowledge_base_agent.fleet.question import Reply
from knowledge_base_agent.fleet.reading import (
    ARGUMENTS_LIMIT,
    Figures,
    flag,
    moment,
    number,
    numbers,
    pool_of,
    seconds,
    text,
    wall_time,
)
from knowledge_base_agent.fleet.views import HeldTask, Place, WorkerView
from knowledge_base_agent.redaction import Raw, shown

LISTED = 200
"""How many reserved and scheduled tasks of one worker are kept; the counts are of all."""
PLAIN_QUESTIONS = ("active", "reserved", "scheduled", "stats", "active_queues")


class Focus(Struct, frozen=True, kw_only=True):
    """What a look is to bring beside the bare facts."""

    arguments: bool
    ids: tuple[str, ...] | None
    """Of the waiting tasks only these; None for all."""


def read_plain(
    name: str, said: Mapping[str, Reply], sent_at: datetime, focus: Focus, *, ours: bool | None
) -> WorkerView:
    """Read one worker's answers, by command; a command without an answer leaves its figures unknown or empty."""
    last = max((reply.after for reply in said.values()), default=0.0)
    heard_at = sent_at + timedelta(seconds=last)
    rows = {place: _rows(said.get(place)) for place in Place}
    read = {
        place: [_task(row, name, place, heard_at, arguments=focus.arguments) for row in rows[place]]
        for place in Place
    }
    return WorkerView(
        name=name,
        busy=len(read[Place.ACTIVE]),
        waiting=len(read[Place.RESERVED]),
        postponed=len(read[Place.SCHEDULED]),
        active=tuple(read[Place.ACTIVE]),
        reserved=_kept(read[Place.RESERVED], focus.ids),
        scheduled=_kept(read[Place.SCHEDULED], focus.ids),
        skew=_skew_at_least(rows[Place.ACTIVE], heard_at),
        flagged=None,
        ours=ours,
        answered_after=timedelta(seconds=last),
        **_figures(_mapping(said.get("stats")), said.get("active_queues")),
    )


def _kept(tasks: list[HeldTask], ids: Collection[str] | None) -> tuple[HeldTask, ...]:
    return tuple(islice((task for task in tasks if ids is None or task.id in ids), LISTED))


def _figures(stats: Mapping[str, Any], queues: Reply | None) -> Figures:
    pool = _mapping_of(stats.get("pool"))
    return Figures(
        pid=number(stats.get("pid")),
        pool=pool_of(pool.get("implementation")),
        concurrency=number(pool.get("max-concurrency")),
        prefetch=number(stats.get("prefetch_count")),
        queues=_queues(queues),
        memory_kb=number(_mapping_of(stats.get("rusage")).get("maxrss")),
        memory_used=None,
        memory_allowed=None,
        uptime=seconds(stats.get("uptime")),
        clock=_clock(stats.get("clock")),
        processes=numbers(pool.get("processes")),
        occupied=None,
        revoked=None,
        processed=_total(stats.get("total")),
    )


def _task(
    row: Mapping[str, Any], worker: str, place: Place, heard_at: datetime, *, arguments: bool
) -> HeldTask:
    request = _mapping_of(row.get("request")) if place is Place.SCHEDULED else row
    delivery = _mapping_of(request.get("delivery_info"))
    start = request.get("time_start")
    started = wall_time(start)
    told = f"{request.get('args')} {request.get('kwargs')}" if arguments else None
    return HeldTask(
        id=str(request.get("id")),
        name=str(request.get("name")),
        worker=worker,
        place=place,
        queue=text(delivery.get("routing_key")),
        started_at=min(started, heard_at) if started else None,
        process=number(request.get("worker_pid")),
        redelivered=flag(delivery.get("redelivered")),
        eta=moment(row.get("eta")),
        arguments=None
        if told is None
        else shown(Raw(told[: 2 * ARGUMENTS_LIMIT]), ARGUMENTS_LIMIT),
    )


def _skew_at_least(active: list[Mapping[str, Any]], heard_at: datetime) -> timedelta | None:
    """Return how far the worker's clock is ahead at least, where a task seems to start in the future."""
    starts = [wall_time(row.get("time_start")) for row in active]
    latest = max((start for start in starts if start is not None), default=heard_at)
    ahead = latest - heard_at
    return ahead if ahead > timedelta(seconds=2) else None


def _rows(reply: Reply | None) -> list[Mapping[str, Any]]:
    body = reply.body if reply else None
    return [row for row in body if isinstance(row, dict)] if isinstance(body, list) else []


def _mapping(reply: Reply | None) -> Mapping[str, Any]:
    return _mapping_of(reply.body if reply else None)


def _mapping_of(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _queues(reply: Reply | None) -> tuple[str, ...] | None:
    if reply is None or not isinstance(reply.body, list):
        return None
    return tuple(sorted(str(queue.get("name")) for queue in _rows(reply)))


def _clock(value: object) -> int | None:
    return int(value) if isinstance(value, str) and value.isdigit() else number(value)


def _total(value: object) -> int | None:
    return sum(number(one) or 0 for one in value.values()) if isinstance(value, dict) else None
