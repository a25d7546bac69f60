"""Giving workers more slots or fewer, with each worker's own word and the size that is seen afterwards.

Lasts until the worker restarts. Only prefork, gevent and eventlet pools can; a pool under autoscale refuses.
"""

import threading
from collections.abc import Sequence
from dataclasses import dataclass

from knowledge_base_agent.fleet.deadline import Deadline
from knowledge_base_agent.fleet.fleet import Fleet
from knowledge_base_agent.fleet.telling import Told, tell
from knowledge_base_agent.fleet.views import FleetView, Pool, WorkerView

_ANSWER_SECONDS = 5.0
_LOOK_SECONDS = 2.0
_LOOK_EVERY = 0.2
_FIXED = {Pool.SOLO: "a solo pool has one slot", Pool.THREADS: "a pool of threads has a fixed size"}


@dataclass(frozen=True, kw_only=True)
class Resized:
    """What came of resizing one worker."""

    worker: str
    before: int | None
    """Slots before; None where it did not say."""
    after: int | None
    """Slots now, as the worker itself counts them; None where it did not say."""
    told: bool
    """Whether it was told at all."""
    said: str
    """Its own words, or why it was not told."""

    def done(self, by: int) -> bool | None:
        """Return whether it was seen to change by this much; None where that could not be seen."""
        if self.before is None or self.after is None:
            return None
        return self.after == self.before + by


def why_not_resize(worker: WorkerView, by: int) -> str | None:
    """Return why a worker can't be resized so, or None if it can be told."""
    if worker.pool in _FIXED:
        return _FIXED[worker.pool]
    if worker.concurrency is not None and worker.concurrency + by < 1:
        return f"it has {worker.concurrency}, and one must stay"
    return None


def resize(
    fleet: Fleet, deadline: Deadline, by: int, nodes: Sequence[str], before: FleetView
) -> tuple[Resized, ...]:
    """Tell these workers to grow (`by` above zero) or shrink, and look until they did or the deadline passes.

    Raises `Away` without a broker.
    """
    workers = {worker.name: worker for worker in before.workers if worker.name in nodes}
    refused = {name: why for name, one in workers.items() if (why := why_not_resize(one, by))}
    tellable = [name for name in nodes if name not in refused]
    answers: Told | None = None
    after: dict[str, int | None] = {}
    if tellable:
        command = "pool_grow" if by > 0 else "pool_shrink"
        answers = tell(fleet, deadline.at_most(_ANSWER_SECONDS), command, tellable, n=abs(by))
        after = _look(fleet, deadline, by, workers, answers)
    return tuple(
        Resized(
            worker=name,
            before=workers[name].concurrency if name in workers else None,
            after=after.get(name),
            told=name not in refused,
            said=refused.get(name) or (answers.said_by(name) if answers else ""),
        )
        for name in sorted(set(nodes))
    )


def _look(
    fleet: Fleet, deadline: Deadline, by: int, workers: dict[str, WorkerView], answers: Told
) -> dict[str, int | None]:
    wanted = {
        one.worker: size + by
        for one in answers.answers
        if one.accepted
        and one.worker in workers
        and (size := workers[one.worker].concurrency) is not None
    }
    pause = threading.Event()
    while True:
        now = fleet.workers.look(deadline.at_most(_LOOK_SECONDS), fresh=True)
        sizes = {worker.name: worker.concurrency for worker in now.workers}
        if all(sizes.get(name) == size for name, size in wanted.items()):
            return sizes
        if deadline.remaining() < _LOOK_EVERY:
            return sizes
        pause.wait(_LOOK_EVERY)
