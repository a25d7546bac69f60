"""Row 10: a deep queue purged so that it can be had back, exactly counted; against Celery's own purge."""

import time
import uuid
from collections.abc import Callable
from datetime import timedelta

import redis
from celery import Celery

from bench.grounds import space, sqlite
from bench.measuring import Timing
from bench.others import other
from bench.row_queued import fill_queue
from bench.rows import Outcome, Row, Scale, at_least, at_most, milliseconds
from knowledge_base_agent.actors import NOBODY, acting
from knowledge_base_agent.clock import utc_now
from knowledge_base_agent.deployment import Deployment, open_deployment
from knowledge_base_agent.fleet.deadline import Deadline
from knowledge_base_agent.fleet.purging import Aside
from knowledge_base_agent.operations.undo_messages import purge_undoably
from tests.fleet.tiny_app import tiny_app
from tests.records.deployment import settings_for

_QUEUE, _FULL = "celery", "bench-full"
_OURS, _WHOLE, _THEIRS = "ours", "ours, with its record for undo in SQL", "control.purge"
_LAZY = "control.purge, where DEL is lazy"


def _purge(deployment: Deployment) -> int:
    asides = deployment.fleet.asides
    lists = asides.plan(Deadline.after(2), [_QUEUE], uuid.uuid4().hex)
    aside = Aside(lists=lists, until=utc_now() + timedelta(hours=1))
    (emptied,) = deployment.fleet.purging.purge(Deadline.after(10), [_QUEUE], aside=aside)
    return emptied.removed or 0


def _whole(deployment: Deployment) -> int:
    with acting(NOBODY, "op-1"):
        (emptied,) = purge_undoably(deployment, Deadline.after(10), [_QUEUE])
    return emptied.removed or 0


def _control_purge(app: Celery, client: redis.Redis, lazy: str) -> int:
    client.config_set("lazyfree-lazy-user-del", lazy)
    return int(app.control.purge() or 0)


def _timed(
    url: str, many: int, client: redis.Redis, work: Callable[[], int]
) -> tuple[float, float]:
    for key in client.scan_iter(match="kb:undo:*", count=1000):
        client.unlink(key)
    client.copy(_FULL, _QUEUE, replace=True)
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
) -> dict[str, list[tuple[float, float]]]:
    client = redis.Redis.from_url(url, socket_timeout=300)
    fill_queue(app, client, many)
    client.rename(_QUEUE, _FULL)
    work: dict[str, Callable[[], int]] = {
        _OURS: lambda: _purge(deployment),
        _WHOLE: lambda: _whole(deployment),
        _THEIRS: lambda: _control_purge(app, client, "no"),
        _LAZY: lambda: _control_purge(app, client, "yes"),
        "nobody": lambda: -1,
    }
    _timed(url, many, client, work[_WHOLE])  # the first one connects
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in work}
    for _ in range(scale.choose(7, 1)):
        for name, one in work.items():
            found[name].append(_timed(url, many, client, one))
    client.close()
    return found


def _purged(scale: Scale) -> Outcome:
    many = scale.choose(1_000_000, 20_000)
    with (
        space() as ground,
        sqlite() as url,
        tiny_app(ground.broker_url, ground.result_url) as app,
    ):
        deployment = open_deployment(settings_for(ground, url), app)
        found = _rounds(app, deployment, ground.broker_url, scale, many)
        deployment.close()
    return _outcome(many, found)


def _outcome(many: int, found: dict[str, list[tuple[float, float]]]) -> Outcome:
    took = {name: Timing(seconds=tuple(one for one, _ in each)) for name, each in found.items()}
    stall = {name: Timing(seconds=tuple(one for _, one in each)) for name, each in found.items()}
    ratio = took[_THEIRS].median / took[_OURS].median
    more = (stall[_OURS].median - stall["nobody"].median) * 1000
    return Outcome(
        figures=(
            *(
                milliseconds(f"{many:,} messages: {name}", took[name].median)
                for name in (_OURS, _WHOLE, _THEIRS, _LAZY)
            ),
            *(
                milliseconds(f"another client's longest PING: {name}", one.median)
                for name, one in stall.items()
            ),
        ),
        goals=(
            at_least("faster than control.purge", ratio, 20, smoke=0.05),
            at_most("another's PING, beyond that of nobody", more, 1, smoke=100, unit="ms"),
        ),
        notes=(
            (
                "`control.purge` deletes: every Redis frees the messages before it answers, unless "
                "`lazyfree-lazy-user-del` is set; Valkey has it set since 8, and there it is as fast as a rename."
            ),
        ),
    )


PURGE_ROW = Row(number=10, title="A deep queue purged, with undo kept", run=_purged)
