"""Queues that grow, that nobody takes from, and messages about to be given out a second time. Pure."""

from collections.abc import Iterator

from knowledge_base_agent.fleet.deadline import Unknown
from knowledge_base_agent.fleet.queue_views import QueueDepth, QueuesView
from knowledge_base_agent.operations.alerts_thresholds import Thresholds
from knowledge_base_agent.records.alerts import Offer
from knowledge_base_agent.watching.reading import Reading, Rows
from knowledge_base_agent.watching.trouble import QUEUE_KINDS, Kind, Part, Severity, Trouble
from knowledge_base_agent.wording import counted, duration


def queue_troubles(reading: Reading, limits: Thresholds) -> Part:
    """Judge every queue that was found."""
    view = reading.queues
    if isinstance(view, Unknown):
        return Part(unjudged=QUEUE_KINDS)
    unjudged = set[Kind]()
    if any(queue.ready is None for queue in view.queues):
        unjudged.add(Kind.QUEUE_DEEP)
    if any(queue.ready is None or queue.consumer_count is None for queue in view.queues):
        unjudged.add(Kind.QUEUE_UNTAKEN)
    if view.unacked_total is None:
        unjudged.add(Kind.REDELIVERY)
    found = [*(_queue(queue, reading, limits) for queue in view.queues)]
    troubles = [one for one in found if one is not None]
    return Part(
        troubles=(*troubles, *_redelivery(view, reading, limits)), unjudged=frozenset(unjudged)
    )


def _queue(queue: QueueDepth, reading: Reading, limits: Thresholds) -> Trouble | None:
    if not queue.ready:
        return None
    waits = f"{counted(queue.ready, 'message')} {'waits' if queue.ready == 1 else 'wait'}"
    oldest = ""
    if queue.oldest_at is not None and queue.oldest_at <= reading.taken_at:
        oldest = f" The oldest waits for {duration(reading.taken_at - queue.oldest_at)}."
    paused_by = reading.rows.paused.get(queue.name) if isinstance(reading.rows, Rows) else None
    if queue.consumer_count == 0 and paused_by is None:
        sentence = f"{waits} in the queue {queue.name}, and no worker takes from it.{oldest}"
        offers: tuple[Offer, ...] = (
            Offer(label="Workers", words="workers"),
            Offer(label="Resume", words=f"resume {queue.name}"),
        )
        title = f"Nobody takes from the queue {queue.name}"
        return _told(queue, Kind.QUEUE_UNTAKEN, Severity.BAD, title, sentence, offers)
    if queue.ready > limits.queue_pending:
        return _deep(queue, f"{waits} in the queue {queue.name}", oldest, paused_by, limits)
    return None


def _deep(
    queue: QueueDepth, waits: str, oldest: str, paused_by: str | None, limits: Thresholds
) -> Trouble:
    who = f"it has {counted(queue.consumer_count, 'worker')}"
    turn = Offer(label="Pause", words=f"pause {queue.name}")
    if paused_by is not None:
        who = f"it is paused by {paused_by}"
        turn = Offer(label="Resume", words=f"resume {queue.name}")
    offers = (
        Offer(label="Active", words="active"),
        Offer(label="Scale up", words="workers grow 1"),
        turn,
        Offer(label="Purge", words=f"purge --queue {queue.name}", danger=True),
    )
    sentence = f"{waits}, more than {limits.queue_pending}; {who}.{oldest}"
    title = f"The queue {queue.name} grows"
    return _told(queue, Kind.QUEUE_DEEP, Severity.WARNING, title, sentence, offers)


def _told(
    queue: QueueDepth,
    kind: Kind,
    severity: Severity,
    title: str,
    sentence: str,
    offers: tuple[Offer, ...],
) -> Trouble:
    return Trouble(
        kind=kind,
        subject=queue.name,
        severity=severity,
        title=title,
        sentence=sentence,
        figures={"ready": queue.ready, "unacked": queue.unacked},
        offers=offers,
        checks=2,
    )


def _redelivery(view: QueuesView, reading: Reading, limits: Thresholds) -> Iterator[Trouble]:
    if view.visibility_timeout is None or view.unacked_oldest_at is None:
        return
    age = reading.taken_at - view.unacked_oldest_at
    if age <= limits.redelivery_share * view.visibility_timeout:
        return
    yield Trouble(
        kind=Kind.REDELIVERY,
        subject="unacked",
        severity=Severity.BAD,
        title="A message is about to be given out again",
        sentence=f"A worker has had a message for {duration(age)} without acknowledging it. After the visibility "
        f"timeout of {duration(view.visibility_timeout)} it goes to another worker too, and its task runs twice.",
        figures={"oldest_seconds": round(age.total_seconds()), "unacked": view.unacked_total},
        offers=(
            Offer(label="Active", words="active"),
            Offer(label="Scheduled", words="scheduled"),
            Offer(label="Reserved", words="reserved"),
        ),
    )
