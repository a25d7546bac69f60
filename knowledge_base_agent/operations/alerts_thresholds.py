"""When something is a trouble: the watcher's thresholds, from the settings, and how they are listed."""

from dataclasses import dataclass
from datetime import timedelta

from knowledge_base_agent.report import Column, Row, Table
from knowledge_base_agent.settings import Settings
from knowledge_base_agent.wording import counted, duration, size

COLUMNS = (
    Column(key="watched", label="Told when"),
    Column(key="threshold", label="Threshold"),
    Column(key="setting", label="Setting"),
)
_UNSET = (
    ("a Redis or the broker does not answer", "2 checks", ""),
    ("a task has lost its worker", "2 checks", ""),
    ("nobody takes from a queue", "2 checks", ""),
    ("a worker vanishes, keys are evicted", "at once", ""),
)
"""What no setting changes."""


@dataclass(frozen=True, kw_only=True)
class Thresholds:
    """What may be before somebody is told. Sizes in bytes, shares from 0 to 1."""

    running: timedelta
    past_limit: timedelta
    queue_pending: int
    worker_memory: float
    redis_bytes: int
    redis_share: float
    redelivery_share: float
    beat_expected: bool
    queue_checks: int = 2
    """A queue is told only when it is too long at this many checks in a row."""
    idle_checks: int = 3
    """A worker that takes nothing is told after so many: one that is new needs a moment."""


def thresholds_of(settings: Settings) -> Thresholds:
    """Return the thresholds that the settings give."""
    return Thresholds(
        running=timedelta(seconds=settings.alert_running_seconds),
        past_limit=timedelta(seconds=settings.alert_past_limit_seconds),
        queue_pending=settings.alert_queue_pending,
        worker_memory=settings.alert_worker_memory,
        redis_bytes=settings.alert_redis_bytes,
        redis_share=settings.alert_redis_share,
        redelivery_share=settings.alert_redelivery_share,
        beat_expected=settings.beat_expected,
    )


def thresholds_table(limits: Thresholds) -> Table:
    """List them with the settings that change them."""
    pending = f"over {counted(limits.queue_pending, 'message')}, {limits.queue_checks} checks"
    redis = f"{size(limits.redis_bytes)}, or {limits.redis_share:.0%} of maxmemory"
    beat = "told" if limits.beat_expected else "not expected, not told"
    lines = (
        ("a task runs long", duration(limits.running), "KB_ALERT_RUNNING_SECONDS"),
        (
            "a task is past its time limit",
            f"by {duration(limits.past_limit)}",
            "KB_ALERT_PAST_LIMIT_SECONDS",
        ),
        ("messages wait in a queue", pending, "KB_ALERT_QUEUE_PENDING"),
        (
            "a worker uses much memory",
            f"{limits.worker_memory:.0%} of its machine or cgroup",
            "KB_ALERT_WORKER_MEMORY",
        ),
        ("a Redis uses much memory", redis, "KB_ALERT_REDIS_BYTES, KB_ALERT_REDIS_SHARE"),
        (
            "a message is about to be given out again",
            f"{limits.redelivery_share:.0%} of the visibility timeout",
            "KB_ALERT_REDELIVERY_SHARE",
        ),
        ("celery beat is silent", beat, "KB_BEAT_EXPECTED"),
        ("a worker answers and takes nothing", f"{limits.idle_checks} checks", ""),
        *_UNSET,
    )
    rows = tuple(Row(cells=line) for line in lines)
    return Table(caption="Thresholds", columns=COLUMNS, rows=rows, total=len(rows))
