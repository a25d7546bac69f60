"""Workers that eat memory, vanish, or take nothing while their queue grows. Pure."""

from collections.abc import Collection, Iterator, Mapping
from datetime import datetime, timedelta

from knowledge_base_agent.fleet.deadline import Unknown
from knowledge_base_agent.fleet.queue_views import QueuesView
from knowledge_base_agent.fleet.views import FleetView, WorkerView
from knowledge_base_agent.operations.alerts_thresholds import Thresholds
from knowledge_base_agent.records.alerts import Offer
from knowledge_base_agent.watching.reading import Reading
from knowledge_base_agent.watching.recollection import Recollection, Sight
from knowledge_base_agent.watching.trouble import WORKER_KINDS, Kind, Open, Part, Severity, Trouble
from knowledge_base_agent.wording import counted, duration, size

_LOOK = (Offer(label="Workers", words="workers"), Offer(label="Stuck", words="stuck"))
GONE_FOR = timedelta(hours=1)
"""For how long a vanished worker is missed: one that a new name has replaced never comes back."""


def worker_troubles(
    reading: Reading, limits: Thresholds, before: Recollection, open_: Collection[Open]
) -> Part:
    """Judge every worker that answered, and those that should have."""
    fleet = reading.fleet
    if isinstance(fleet, Unknown):
        return Part(unjudged=WORKER_KINDS)
    unjudged = set[Kind]()
    if fleet.complete is False:
        unjudged |= {Kind.WORKER_MEMORY, Kind.WORKER_IDLE}
    if reading.mailboxes is None:
        unjudged.add(Kind.WORKER_GONE)
    if isinstance(reading.queues, Unknown):
        unjudged.add(Kind.WORKER_IDLE)
    found = [*_memory(fleet, limits), *_idle(fleet, sights(reading, before), limits)]
    if reading.mailboxes is not None:
        found += _gone(fleet, reading, before, open_)
    return Part(troubles=tuple(found), unjudged=frozenset(unjudged))


def _memory(fleet: FleetView, limits: Thresholds) -> Iterator[Trouble]:
    for worker in fleet.workers:
        used, allowed = worker.memory_used, worker.memory_allowed
        if used is None or not allowed or used / allowed <= limits.worker_memory:
            continue
        yield Trouble(
            kind=Kind.WORKER_MEMORY,
            subject=worker.name,
            severity=Severity.BAD,
            title="A worker eats memory",
            sentence=f"{worker.name} uses {size(used)}, {used / allowed:.0%} of the {size(allowed)} that it may. "
            "At the limit the kernel kills a process of it in the middle of a task.",
            figures={"used_bytes": used, "allowed_bytes": allowed},
            offers=(
                Offer(label="Active", words=f"active --worker {worker.name}"),
                Offer(label="Active", words="active"),
                Offer(label="Shut down", words=f"workers shutdown {worker.name}", danger=True),
            ),
            checks=2,
        )


def sights(reading: Reading, before: Recollection) -> dict[str, Sight]:
    """Return how each worker is seen now, and keep those that were seen before and are not there any more."""
    found = {
        name: sight
        for name, sight in before.workers.items()
        if reading.taken_at - sight.at < GONE_FOR
    }
    if isinstance(reading.fleet, FleetView):
        for worker in reading.fleet.workers:
            ready = _ready(worker, reading.queues)
            found[worker.name] = _sight(worker, ready, before.workers.get(worker.name), reading)
    return found


def _ready(worker: WorkerView, queues: QueuesView | Unknown) -> dict[str, int]:
    if isinstance(queues, Unknown):
        return {}
    return {
        queue.name: queue.ready
        for queue in queues.queues
        if queue.ready and queue.name in (worker.queues or ())
    }


def _sight(
    worker: WorkerView, ready: Mapping[str, int], last: Sight | None, reading: Reading
) -> Sight:
    held = worker.busy + worker.waiting
    took_nothing = last is not None and held == 0 and worker.processed == last.processed
    grew = last is not None and any(n >= last.waiting.get(name, 0) for name, n in ready.items())
    idle = last.idle_checks + 1 if last is not None and took_nothing and grew else 0
    return Sight(
        at=reading.taken_at,
        held=held,
        processed=worker.processed,
        waiting=ready,
        idle_checks=idle,
    )


def _idle(fleet: FleetView, now: Mapping[str, Sight], limits: Thresholds) -> Iterator[Trouble]:
    for worker in fleet.workers:
        sight = now.get(worker.name)
        if sight is None or sight.idle_checks < limits.idle_checks:
            continue
        waits = ", ".join(f"{name} ({n})" for name, n in sorted(sight.waiting.items()))
        yield Trouble(
            kind=Kind.WORKER_IDLE,
            subject=worker.name,
            severity=Severity.BAD,
            title="A worker answers and takes nothing",
            sentence=f"{worker.name} answers, runs nothing and takes nothing, while messages wait in {waits}. Its "
            "consumer may have lost its connection: a restart of the worker cures that.",
            figures={"waiting": sum(sight.waiting.values())},
            offers=(
                Offer(label="Workers", words="workers"),
                Offer(label="Shut down", words=f"workers shutdown {worker.name}", danger=True),
            ),
        )


def _gone(
    fleet: FleetView, reading: Reading, before: Recollection, open_: Collection[Open]
) -> Iterator[Trouble]:
    """Yield who left its mailbox behind and answers no more: a worker that shuts down takes it along."""
    there = {worker.name for worker in fleet.workers} | set(fleet.silent)
    left: dict[str, datetime] = {
        known.name: known.left for known in fleet.roster if known.left is not None
    }
    for alert in open_:  # told by a bot that is gone, perhaps: our own roster begins anew
        if alert.kind == Kind.WORKER_GONE:
            since = reading.taken_at - timedelta(seconds=alert.age_seconds)
            left.setdefault(alert.subject, since)
    for name in sorted((left.keys() & (reading.mailboxes or frozenset())) - there):
        ago = reading.taken_at - left[name]
        if ago > GONE_FOR:
            continue
        sight = before.workers.get(name)
        had = counted(sight.held if sight else None, "task")
        yield Trouble(
            kind=Kind.WORKER_GONE,
            subject=name,
            severity=Severity.BAD,
            title="A worker is gone without a goodbye",
            sentence=f"{name} was last heard {duration(ago)} ago and did not shut down: it was killed, or its machine "
            f"or network is gone. It had {had} when last seen.",
            figures={"held": sight.held if sight else None},
            offers=_LOOK,
        )
