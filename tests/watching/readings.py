"""Readings for pure tests: everything is well, but for what a test names."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from knowledge_base_agent.fleet.queue_views import QueueDepth, QueuesView
from knowledge_base_agent.fleet.redis_state import RedisState
from knowledge_base_agent.fleet.roster import Known
from knowledge_base_agent.fleet.views import FleetView, HeldTask, Place, Pool, WorkerView
from knowledge_base_agent.operations.alerts_thresholds import Thresholds, thresholds_of
from knowledge_base_agent.records.recorder_state import RecorderState
from knowledge_base_agent.records.task_history import TaskRecord
from knowledge_base_agent.settings import Settings
from knowledge_base_agent.watching.reading import Reading, Rows

NOW = datetime(2026, 11, 23, 3, 12, 5, tzinfo=UTC)
LIMITS: Thresholds = thresholds_of(Settings.model_validate({}))
GB = 1_000_000_000


def ago(**span: float) -> datetime:
    """Return a moment before the reading."""
    return NOW - timedelta(**span)


def task(task_id: str = "t1", *, runs: timedelta, **more: Any) -> HeldTask:
    """Return a task that has been running for so long."""
    values: dict[str, Any] = {
        "name": "fetch",
        "worker": "w1",
        "place": Place.ACTIVE,
        "started_at": NOW - runs,
    }
    return HeldTask(id=task_id, **(values | more))


def worker(name: str = "w1", *active: HeldTask, **more: Any) -> WorkerView:
    """Return a prefork worker that answered, with two slots, consuming `celery`."""
    values: dict[str, Any] = {
        "pid": 1, "pool": Pool.PREFORK, "concurrency": 2, "prefetch": 2, "busy": len(active), "waiting": 0,
        "postponed": 0, "active": active, "reserved": (), "scheduled": (), "queues": ("celery",), "memory_kb": 1,
        "uptime": timedelta(hours=1), "clock": 1, "skew": timedelta(), "processes": (2, 3), "occupied": (),
        "revoked": 0, "flagged": None, "processed": 5, "ours": True, "answered_after": timedelta(),
    }  # fmt: skip
    return WorkerView(name=name, **(values | more))


def fleet(*workers: WorkerView, **more: Any) -> FleetView:
    """Return a fleet in which everyone answered."""
    values: dict[str, Any] = {
        "taken_at": NOW, "took": timedelta(), "receivers": len(workers), "why_unknown": None, "workers": workers,
        "silent": (), "unnamed": 0, "duplicates": (), "roster": (),
    }  # fmt: skip
    return FleetView(**(values | more))


def queue(ready: int | None, *, consumers: int | None = 1, name: str = "celery") -> QueueDepth:
    """Return a queue with so many messages and workers."""
    return QueueDepth(name=name, ready=ready, unacked=0, consumer_count=consumers)


def queues(*found: QueueDepth, unacked_for: timedelta | None = None) -> QueuesView:
    """Return all queues; the oldest unacked message is so old, of a timeout of an hour."""
    return QueuesView(
        taken_at=NOW,
        took=timedelta(),
        queues=found,
        unacked_total=0,
        unacked_oldest_at=None if unacked_for is None else NOW - unacked_for,
        visibility_timeout=timedelta(hours=1),
    )


def redis(used: int = GB // 10, most: int = 0, evicted: int = 0) -> RedisState:
    """Return how a Redis is."""
    return RedisState(
        version="9", latency=timedelta(), used_memory=used, max_memory=most, policy="noeviction",
        evicted_keys=evicted,
    )  # fmt: skip


def rows(*running: TaskRecord, lag: int = 0, **more: Any) -> Rows:
    """Return rows, with a recorder that keeps up."""
    recorder = RecorderState(
        last_id="1-1", position=1, lag=lag, last_event_at=NOW, updated_at=NOW, holder="r"
    )
    values: dict[str, Any] = {"by_state": {}, "recorder": recorder}
    return Rows(running=running, **(values | more))


def row(task_id: str, *, started: timedelta) -> TaskRecord:
    """Return the row of a task that it says is running."""
    at = NOW - started
    empty: dict[str, Any] = dict.fromkeys(TaskRecord.__dataclass_fields__)
    return TaskRecord(
        **empty
        | {
            "id": task_id, "name": "fetch", "state": "STARTED", "retries": 0, "redelivered": False,
            "worker": "w9", "started_at": at, "updated_at": at, "args_shortened": False,
        }
    )  # fmt: skip


def left(name: str, minutes: float) -> Known:
    """Return a worker that no longer receives broadcasts."""
    return Known(name=name, last_heard=ago(minutes=minutes), left=ago(minutes=minutes))


def reading(**more: Any) -> Reading:
    """Return a reading in which nothing is wrong, but for what is given."""
    values: dict[str, Any] = {
        "taken_at": NOW,
        "fleet": fleet(worker()),
        "queues": queues(queue(0)),
        "mailboxes": frozenset({"w1", "w9"}),
        "rows": rows(),
        "redis": {"broker, results": redis()},
    }
    return Reading(**(values | more))


def limits(**more: Any) -> Thresholds:
    """Return the default thresholds, but for those given."""
    return replace(LIMITS, **more)
