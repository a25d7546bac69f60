"""What `stats` says from workers, broker and Redis: who works, what waits, how much memory is left."""

from collections.abc import Iterator
from datetime import datetime

from knowledge_base_agent.fleet.queue_views import QueueDepth, QueuesView
from knowledge_base_agent.fleet.views import FleetView, WorkerView
from knowledge_base_agent.operations.headcount import headcount_notes
from knowledge_base_agent.redaction import plain
from knowledge_base_agent.report import Column, Note, Part, Row, Size, Table, Tone, Value

WORKER_COLUMNS = (
    Column(key="name", label="Worker"),
    Column(key="busy", label="Busy"),
    Column(key="concurrency", label="Of"),
    Column(key="waiting", label="Taken, waiting"),
    Column(key="eta", label="ETA"),
    Column(key="pool", label="Pool"),
    Column(key="memory_bytes", label="Most memory"),
    Column(key="uptime_seconds", label="Up for"),
)
QUEUE_COLUMNS = (
    Column(key="name", label="Queue"),
    Column(key="ready", label="Ready"),
    Column(key="unacked", label="Unacked"),
    Column(key="eta", label="ETA"),
    Column(key="oldest_seconds", label="Oldest waits for"),
    Column(key="consumers", label="Consumers"),
)


def worker_parts(view: FleetView) -> Iterator[Part]:
    """Yield the workers that answered, and who did not."""
    if view.workers:
        rows = tuple(_worker(worker) for worker in view.workers)
        yield Table(caption="Workers", columns=WORKER_COLUMNS, rows=rows, total=view.receivers)
    yield from headcount_notes(view)


def _worker(worker: WorkerView) -> Row:
    memory = Size(worker.memory_kb * 1024) if worker.memory_kb is not None else None
    cells: tuple[Value, ...] = (
        plain(worker.name, 80),
        worker.busy,
        worker.concurrency,
        worker.waiting,
        worker.postponed,
        worker.pool.value,
        memory,
        worker.uptime,
    )
    full = worker.concurrency is not None and worker.busy >= worker.concurrency
    return Row(cells=cells, tone=Tone.WARNING if full else Tone.NEUTRAL)


def queue_parts(view: QueuesView) -> Iterator[Part]:
    """Yield every queue that was found, and what could not be read of them."""
    rows = tuple(_queue(queue, view.taken_at) for queue in view.queues)
    if rows:
        yield Table(caption="Queues", columns=QUEUE_COLUMNS, rows=rows, total=len(rows))
    else:
        yield Note(text="No queue was found.", tone=Tone.WARNING)
    for note in view.notes:
        yield Note(text=plain(note, 300))
    for queue in view.queues:
        if queue.ready and queue.consumer_count == 0:
            yield Note(
                text=f"Nobody consumes {plain(queue.name, 80)}, and {queue.ready:,} wait in it.",
                tone=Tone.BAD,
            )


def _queue(queue: QueueDepth, taken_at: datetime) -> Row:
    if queue.oldest_at is not None:
        oldest: Value = taken_at - queue.oldest_at
    else:
        oldest = "" if queue.oldest_known else None
    cells: tuple[Value, ...] = (
        plain(queue.name, 80),
        queue.ready,
        queue.unacked,
        queue.scheduled,
        oldest,
        queue.consumer_count,
    )
    return Row(cells=cells)
