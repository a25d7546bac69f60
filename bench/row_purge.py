"""Row 10: a deep queue purged at once, counted, and to be had back; beside Celery's own purge of it."""

import time
import uuid
from collections.abc import Callable
from datetime import timedelta

import redis
from celery import Celery

from bench.grounds import redis_programs, server_of, space, sqlite
from bench.measuring import Timing
from bench.others import other
from bench.row_queued import fill_queue
from bench.rows import Figure, Outcome, Row, Scale, at_least, at_most, milliseconds
from knowledge_base_agent.actors import NOBODY, acting
from knowledge_base_agent.clock import utc_now
from knowledge_base_agent.deployment import Deployment, open_deployment
from knowledge_base_agent.fleet.deadline import Deadline
from knowledge_base_agent.fleet.purging import Aside
from knowledge_base_agent.operations.undo_messages import purge_undoably
from tests.fleet.tiny_app import tiny_app
from tests.operations.place import Shell
from tests.records.deployment import settings_for

_QUEUE, _FULL = "celery", "bench-full"
_OURS, _NOBODY = "ours", "nobody"
_RECORDED = "ours, with its record for undo in SQL"
_ASKED = "ours, all of it: preview, click, look again, claim, run, records, audit"
_PEER, _EAGER = "control.purge", "control.purge, where DEL frees before it answers"
_LAZY = "lazyfree-lazy-user-del"
Found = dict[str, list[tuple[float, float]]]


def _purge(deployment: Deployment) -> int:
    asides = deployment.fleet.asides
    lists = asides.plan(Deadline.after(2), [_QUEUE], uuid.uuid4().hex)
    aside = Aside(lists=lists, until=utc_now() + timedelta(hours=1))
    (emptied,) = deployment.fleet.purging.purge(Deadline.after(10), [_QUEUE], aside=aside)
    return emptied.removed or 0


def _recorded(deployment: Deployment) -> int:
    with acting(NOBODY, "op-1"):
        (emptied,) = purge_undoably(deployment, Deadline.after(10), [_QUEUE])
    return emptied.removed or 0


def _asked(deployment: Deployment) -> int:
    shell = Shell(deployment=deployment)
    report = shell.confirms(shell.previews(f"purge --queue {_QUEUE} --repeat --reason bench"))
    return int(report.data["removed"][_QUEUE])  # type: ignore[index]  # counted by queue


def _control_purge(app: Celery, client: redis.Redis, lazy: str) -> int:
    client.config_set(_LAZY, lazy)
    return int(app.control.purge() or 0)


def _full_again(client: redis.Redis) -> None:
    for key in client.scan_iter(match="kb:undo:*", count=1000):
        client.unlink(key)
    client.copy(_FULL, _QUEUE, replace=True)
    # What the last one put aside is freed meanwhile, a gigabyte of it: that belongs to no round.
    while client.info("memory")["lazyfree_pending_objects"]:
        time.sleep(0.01)


def _timed(
    url: str, many: int, client: redis.Redis, work: Callable[[], int]
) -> tuple[float, float]:
    _full_again(client)
    with other("pinger", url) as waits:
        time.sleep(0.2)
        started = time.perf_counter()
        gone = work()
        took = time.perf_counter() - started
        time.sleep(0.1)
    assert gone in (many, -1), f"{gone} of {many} messages were counted"
    return took, waits.most


def _rounds(
    app: Celery, deployment: Deployment, url: str, scale: Scale, many: int
) -> tuple[str, Found]:
    client = redis.Redis.from_url(url, socket_timeout=300)
    fill_queue(app, client, many)
    client.rename(_QUEUE, _FULL)
    default = str(client.config_get(_LAZY)[_LAZY])
    work: dict[str, Callable[[], int]] = {
        _OURS: lambda: _purge(deployment),
        _RECORDED: lambda: _recorded(deployment),
        _ASKED: lambda: _asked(deployment),
        _PEER: lambda: _control_purge(app, client, default),
        _NOBODY: lambda: -1,
    }
    if default == "yes":
        work[_EAGER] = lambda: _control_purge(app, client, "no")
    for warm in (_OURS, _RECORDED, _PEER):  # the first one connects
        _full_again(client)
        work[warm]()
    found: Found = {name: [] for name in work}
    for _ in range(scale.choose(7, 1)):
        for name, one in work.items():
            found[name].append(_timed(url, many, client, one))
    server = server_of(client)
    client.close()
    return f"{server}, {_LAZY} {default} by default", found


def _on(binary: str, scale: Scale, many: int) -> tuple[str, Found]:
    with (
        space(binary) as ground,
        sqlite() as url,
        tiny_app(ground.broker_url, ground.result_url) as app,
    ):
        deployment = open_deployment(settings_for(ground, url), app)
        try:
            return _rounds(app, deployment, ground.broker_url, scale, many)
        finally:
            deployment.close()


def _purged(scale: Scale) -> Outcome:
    many = scale.choose(1_000_000, 20_000)
    # The short form asks the last alone, which the goal is about.
    programs = redis_programs()[-1:] if scale.smoke else redis_programs()
    on = dict(_on(binary, scale, many) for binary in programs)
    figures = tuple(one for name, found in on.items() for one in _figures(name, found, many))
    # Celery's purge as it is on the server where it frees what it deletes: on a Redis as installed, if there is one.
    headline, found = list(on.items())[-1]
    peer = _EAGER if _EAGER in found else _PEER
    ratio = _median(found[peer], 0) / _median(found[_OURS], 0)
    more = (_median(found[_OURS], 1) - _median(found[_NOBODY], 1)) * 1000
    return Outcome(
        figures=figures,
        goals=(
            at_least(f"faster than {peer} on {headline}", ratio, 20, smoke=0.05),
            at_most("another's PING, beyond that of nobody", more, 1, smoke=100, unit="ms"),
        ),
        notes=(
            (
                "The effect is measured alike on both sides: one call in a process that is connected already. Redis "
                f"frees the messages before it answers `control.purge`, unless `{_LAZY}` is set; Valkey has it set "
                "since 8, and there `control.purge` is about as fast as a rename, and keeps nothing."
            ),
        ),
    )


def _median(found: list[tuple[float, float]], which: int) -> float:
    return Timing(seconds=tuple(one[which] for one in found)).median


def _figures(server: str, found: Found, many: int) -> tuple[Figure, ...]:
    took = [
        milliseconds(f"{server}: {many:,} messages: {name}", _median(each, 0))
        for name, each in found.items()
        if name != _NOBODY
    ]
    stalls = [
        milliseconds(f"{server}: another client's longest PING: {name}", _median(each, 1))
        for name, each in found.items()
    ]
    return (*took, *stalls)


PURGE_ROW = Row(number=10, title="A deep queue purged, with undo kept", run=_purged)
