"""What workers hold of the queues that they take from: running, taken in advance, or waiting for its time."""

from collections.abc import Iterable
from dataclasses import dataclass

from knowledge_base_agent.fleet.views import FleetView, HeldTask, Place


@dataclass(frozen=True, kw_only=True)
class HeldByQueue:
    """What workers hold of one queue, beyond the reach of a purge."""

    queue: str
    running: tuple[HeldTask, ...]
    reserved: tuple[HeldTask, ...]
    """Taken in advance, not started."""
    scheduled: tuple[HeldTask, ...]
    """Kept until their time."""

    @property
    def waiting(self) -> tuple[HeldTask, ...]:
        """Return those that have not started: they will run unless they are revoked."""
        return self.reserved + self.scheduled


def held_by_queue(view: FleetView, queues: Iterable[str]) -> dict[str, HeldByQueue]:
    """Return what the workers that answered hold of each queue, as far as they list it.

    Their lists are capped at 200 of each kind: `not_listed` tells how many more there are.
    """
    found: dict[str, dict[Place, list[HeldTask]]] = {
        name: {place: [] for place in Place} for name in queues
    }
    for task in view.held:
        if task.queue in found:
            found[task.queue][task.place].append(task)
    return {
        name: HeldByQueue(
            queue=name,
            running=tuple(places[Place.ACTIVE]),
            reserved=tuple(places[Place.RESERVED]),
            scheduled=tuple(places[Place.SCHEDULED]),
        )
        for name, places in found.items()
    }


def not_listed(view: FleetView) -> int:
    """Return how many held tasks, of any queue, the workers count and did not list."""
    counted = sum(worker.waiting + worker.postponed for worker in view.workers)
    listed = sum(len(worker.reserved) + len(worker.scheduled) for worker in view.workers)
    return max(counted - listed, 0)
