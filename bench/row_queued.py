"""Row 11: what is queued, by task name: an estimate and a count, against reading the whole list at once."""

import json
import time
from collections import Counter
from collections.abc import Callable, Iterator

import redis
from celery import Celery

from bench.grounds import redis_programs, server_of, space
from bench.measuring import medians
from bench.others import other
from bench.rows import Figure, Outcome, Row, Scale, at_least, at_most, milliseconds
from knowledge_base_agent.fleet.deadline import Deadline
from knowledge_base_agent.fleet.fleet import Fleet
from tests.fleet.tiny_app import tiny_app

_QUEUE = "celery"
_PEER = "LRANGE 0 -1 and json"
Found = dict[str, list[tuple[float, float]]]
_NAMES = ("shop.pay", "shop.pay", "shop.pay", "shop.mail", "shop.index")


def fill_queue(app: Celery, client: redis.Redis, many: int) -> None:
    """Queue so many messages as Celery writes them: five are published, and copied with their tasks mixed."""
    for name in _NAMES:
        app.send_task(name, (1, 2), {"customer": "c-123"})
    five: list[bytes] = client.lrange(_QUEUE, 0, -1)  # type: ignore[assignment]  # not the asyncio client
    client.delete(_QUEUE)
    for start in range(0, many, 5_000):
        client.rpush(_QUEUE, *(five[n % 5] for n in range(min(5_000, many - start))))


def _naive(client: redis.Redis) -> Counter[str]:
    raw: list[bytes] = client.lrange(_QUEUE, 0, -1)  # type: ignore[assignment]
    return Counter(json.loads(one)["headers"]["task"] for one in raw)


def _timed(url: str, work: Callable[[], object]) -> tuple[float, float]:
    with other("pinger", url) as waits:
        started = time.perf_counter()
        work()
        took = time.perf_counter() - started
    return took, waits.most


def _on(binary: str, scale: Scale, many: int) -> tuple[str, Found]:
    with space(binary) as ground, tiny_app(ground.broker_url, ground.result_url) as app:
        client = redis.Redis.from_url(ground.broker_url, socket_timeout=300)
        fleet = Fleet(app)
        fill_queue(app, client, many)
        server, allocator = server_of(client), client.info("memory")["mem_allocator"]
        contents = fleet.contents
        counted = contents.count(Deadline.after(60), _QUEUE, lambda done, total: None)
        assert counted.still
        assert dict(counted.names) == dict(_naive(client)), "both count the same"
        contestants: dict[str, Callable[[], object]] = {
            "count": lambda: contents.count(Deadline.after(60), _QUEUE, lambda done, total: None),
            "estimate": lambda: contents.estimate(Deadline.after(5), _QUEUE),
            _PEER: lambda: _naive(client),
            "nobody": lambda: time.sleep(1),
        }
        found: Found = {name: [] for name in contestants}
        for _ in range(scale.choose(5, 1)):
            for name, work in contestants.items():
                found[name].append(_timed(ground.broker_url, work))
        fleet.close()
        client.close()
    return f"{server} with {allocator}", found


def _queued(scale: Scale) -> Outcome:
    many = scale.choose(1_000_000, 20_000)
    on = dict(_on(binary, scale, many) for binary in redis_programs())
    headline, found = list(on.items())[-1]
    took, stall = medians(found)
    naive = took[_PEER]
    return Outcome(
        figures=tuple(one for name, each in on.items() for one in _figures(name, each, many)),
        costs={"messages told a second": many / took["count"]},
        goals=(
            at_least(f"count: faster than {_PEER}", naive / took["count"], 4, smoke=0.05),
            at_most("count: another's PING", stall["count"] * 1000, 10, smoke=500, unit="ms"),
            at_least(f"estimate: faster than {_PEER}", naive / took["estimate"], 100, smoke=0.05),
            at_most("estimate: another's PING", stall["estimate"] * 1000, 10, smoke=500, unit="ms"),
        ),
        notes=(
            (
                f"The goals are those of {headline}. A server walks to a position of a list node by node. The Valkey "
                "of the tests is built with the C library's allocator, which lays the nodes apart: there a walk costs "
                "several times as much as with jemalloc, which servers are built with as a rule."
            ),
        ),
    )


def _figures(server: str, found: Found, many: int) -> Iterator[Figure]:
    took, stall = medians(found)
    for name in found:
        if name != "nobody":
            yield milliseconds(f"{server}: {many:,} messages: {name}", took[name])
        yield milliseconds(f"… another client's longest PING: {name}", stall[name])


QUEUED_ROW = Row(number=11, title="What is queued, by task", run=_queued)
