"""`/metrics` for Prometheus: the watcher's last reading, without a question of its own.

A figure that is unknown is absent, never 0; `kb_reading_age_seconds` tells how old the others are. A bot that does not
watch has none of them, and says `kb_watching 0`.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from aiohttp import web
from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.registry import Collector

from knowledge_base_agent.clock import utc_now
from knowledge_base_agent.fleet.queue_views import QueueDepth, QueuesView
from knowledge_base_agent.fleet.redis_state import RedisState
from knowledge_base_agent.fleet.views import FleetView
from knowledge_base_agent.watching.reading import Reading, Rows

Sample = tuple[tuple[str, ...], float | int | None]


@dataclass(frozen=True, kw_only=True)
class Watched:
    """What the bot's watcher has: whether it is the one that watches, its last reading, and its open alerts."""

    watching: bool = False
    reading: Reading | None = None
    open_alerts: int | None = None


def metrics_routes(watched: Callable[[], Watched]) -> list[web.RouteDef]:
    """Return the route that serves them."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Figures(watched))

    async def metrics(_: web.Request) -> web.Response:
        return web.Response(
            body=generate_latest(registry), headers={"Content-Type": CONTENT_TYPE_LATEST}
        )

    return [web.get("/metrics", metrics)]


class _Figures(Collector):
    """Turns the last reading into metrics at each scrape."""

    def __init__(self, watched: Callable[[], Watched]) -> None:
        self._watched = watched

    def collect(self) -> Iterable[Metric]:
        now = self._watched()
        yield _gauge("kb_watching", "Whether this bot watches.", [((), int(now.watching))])
        reading = now.reading
        if reading is None:
            return
        age = (utc_now() - reading.taken_at).total_seconds()
        yield _gauge("kb_reading_age_seconds", "Age of all other figures.", [((), max(age, 0.0))])
        yield _gauge("kb_alerts_open", "Alerts that are not resolved.", [((), now.open_alerts)])
        yield from _rows(reading)
        yield from _workers(reading)
        yield from _queues(reading)
        yield from _redis(reading)
        yield from _beat(reading)


def _rows(reading: Reading) -> Iterator[Metric]:
    if not isinstance(reading.rows, Rows):
        return
    rows = reading.rows
    states: list[Sample] = [((state,), number) for state, number in rows.by_state.items()]
    yield _gauge("kb_task_rows", "Rows of the history by state.", states, "state")
    if rows.recorder is not None:
        lag = rows.recorder.lag
        yield _gauge("kb_recorder_lag_entries", "Entries that wait for the recorder.", [((), lag)])
        age = (reading.taken_at - rows.recorder.updated_at).total_seconds()
        text = "Since when the recorder has not written its position."
        yield _gauge("kb_recorder_age_seconds", text, [((), max(age, 0.0))])


def _workers(reading: Reading) -> Iterator[Metric]:
    fleet = reading.fleet
    if not isinstance(fleet, FleetView):
        return
    yield _gauge("kb_workers_answered", "Workers that answered.", [((), fleet.answered)])
    silent = None if fleet.unnamed is None else len(fleet.silent) + fleet.unnamed
    yield _gauge("kb_workers_silent", "Workers that heard and did not answer.", [((), silent)])
    busy: list[Sample] = [((worker.name,), worker.busy) for worker in fleet.workers]
    yield _gauge("kb_worker_busy_slots", "Tasks that a worker runs.", busy, "worker")
    slots: list[Sample] = [((worker.name,), worker.concurrency) for worker in fleet.workers]
    yield _gauge("kb_worker_slots", "Tasks that a worker can run at once.", slots, "worker")
    memory: list[Sample] = [((worker.name,), worker.memory_used) for worker in fleet.workers]
    yield _gauge("kb_worker_memory_bytes", "Memory that a worker uses.", memory, "worker")
    allowed: list[Sample] = [((worker.name,), worker.memory_allowed) for worker in fleet.workers]
    text = "Memory that it may use: its cgroup's limit, or its machine."
    yield _gauge("kb_worker_memory_allowed_bytes", text, allowed, "worker")
    text = "For how long its oldest task runs; absent where it runs none."
    yield _gauge("kb_worker_task_seconds", text, _longest(fleet, reading.taken_at), "worker")


def _longest(fleet: FleetView, now: datetime) -> list[Sample]:
    ages: dict[str, float] = {}
    for task in (task for worker in fleet.workers for task in worker.active):
        if task.started_at is not None:
            age = max((now - task.started_at).total_seconds(), 0.0)
            ages[task.worker] = max(age, ages.get(task.worker, 0.0))
    return [((worker,), age) for worker, age in ages.items()]


def _beat(reading: Reading) -> Iterator[Metric]:
    if isinstance(reading.beat, datetime):
        age = max((reading.taken_at - reading.beat).total_seconds(), 0.0)
        yield _gauge("kb_beat_age_seconds", "Since when beat gave no sign.", [((), age)])


def _queues(reading: Reading) -> Iterator[Metric]:
    view = reading.queues
    if not isinstance(view, QueuesView):
        return
    ready: list[Sample] = [((queue.name,), queue.ready) for queue in view.queues]
    yield _gauge("kb_queue_ready", "Messages that any worker may take.", ready, "queue")
    unacked: list[Sample] = [((queue.name,), queue.unacked) for queue in view.queues]
    yield _gauge("kb_queue_unacked", "Messages that workers have.", unacked, "queue")
    oldest: list[Sample] = [((queue.name,), _oldest(queue, reading)) for queue in view.queues]
    yield _gauge("kb_queue_oldest_seconds", "Age of the oldest ready message.", oldest, "queue")
    takers: list[Sample] = [((queue.name,), queue.consumer_count) for queue in view.queues]
    yield _gauge("kb_queue_consumers", "Workers that take from it.", takers, "queue")
    if view.unacked_oldest_at is not None:
        age = max((reading.taken_at - view.unacked_oldest_at).total_seconds(), 0.0)
        text = "For how long a worker has had a message that it has not acknowledged."
        yield _gauge("kb_unacked_oldest_seconds", text, [((), age)])
    if view.visibility_timeout is not None:
        timeout = view.visibility_timeout.total_seconds()
        text = "After how long such a message is given out again."
        yield _gauge("kb_visibility_timeout_seconds", text, [((), timeout)])


def _oldest(queue: QueueDepth, reading: Reading) -> float | None:
    if queue.oldest_at is None:
        return None
    return max((reading.taken_at - queue.oldest_at).total_seconds(), 0.0)


def _redis(reading: Reading) -> Iterator[Metric]:
    states = {role: one for role, one in reading.redis.items() if isinstance(one, RedisState)}
    used: list[Sample] = [((role,), one.used_memory) for role, one in states.items()]
    yield _gauge("kb_redis_memory_bytes", "Memory that a Redis uses.", used, "redis")
    most: list[Sample] = [((role,), one.max_memory) for role, one in states.items()]
    text = "Its maxmemory; 0 is without limit."
    yield _gauge("kb_redis_max_memory_bytes", text, most, "redis")
    evicted: list[Sample] = [((role,), one.evicted_keys) for role, one in states.items()]
    yield _gauge("kb_redis_evicted_keys", "Keys dropped for want of memory.", evicted, "redis")


def _gauge(name: str, text: str, samples: Iterable[Sample], *labels: str) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, text, labels=labels)
    totals: dict[tuple[str, ...], float] = {}
    for values, number in samples:
        if number is not None:  # two workers of one name: their figures count together
            totals[values] = totals.get(values, 0.0) + number
    for values, total in totals.items():
        family.add_metric(values, total)
    return family
