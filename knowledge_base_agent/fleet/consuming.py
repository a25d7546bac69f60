"""Which workers take messages from a queue: stopping them, starting them again, and looking whether they did.

What a worker took in advance before it stopped is not given back: it runs. A worker that joins or restarts consumes
what its own command line says: whoever wants a lasting stop tells it again (`keeping`).
"""

import threading
from collections.abc import Sequence
from dataclasses import dataclass

from knowledge_base_agent.fleet.deadline import Deadline
from knowledge_base_agent.fleet.fleet import Fleet
from knowledge_base_agent.fleet.telling import tell
from knowledge_base_agent.fleet.views import FleetView

_LOOK_EVERY = 0.1
_ANSWER_SECONDS = 2.0


@dataclass(frozen=True, kw_only=True)
class NodeConsumes:
    """What was seen of one worker after it was told."""

    worker: str
    consumes: bool | None
    """Whether it takes from the queue now, by its own list. None: it does not answer."""
    said: str
    """Its own words, or that it did not answer."""


@dataclass(frozen=True, kw_only=True)
class ConsumingOutcome:
    """What came of telling workers to take, or no longer to take, from one queue."""

    queue: str
    wanted: bool
    nodes: tuple[NodeConsumes, ...]
    """Everyone who was told, by name."""
    consumed_before: tuple[str, ...]
    """Who consumed it before: empty means that nobody did, which may be a wrong name."""

    @property
    def as_wanted(self) -> tuple[str, ...]:
        """Return who was seen to do as told."""
        return tuple(one.worker for one in self.nodes if one.consumes is self.wanted)

    @property
    def otherwise(self) -> tuple[str, ...]:
        """Return who was seen to do the other thing still."""
        return tuple(one.worker for one in self.nodes if one.consumes is (not self.wanted))

    @property
    def unknown(self) -> tuple[str, ...]:
        """Return who could not be seen."""
        return tuple(one.worker for one in self.nodes if one.consumes is None)

    @property
    def verified(self) -> bool:
        """Return whether everyone who was told was seen to do it."""
        return len(self.as_wanted) == len(self.nodes)


def consumers_of(view: FleetView, queue: str) -> tuple[str, ...]:
    """Return the workers that say they take from the queue; the silent may do so too."""
    return tuple(worker.name for worker in view.workers if queue in (worker.queues or ()))


def stop_consuming(
    fleet: Fleet, deadline: Deadline, queue: str, nodes: Sequence[str]
) -> ConsumingOutcome:
    """Tell these workers to take no more from the queue, and look until they don't or the deadline passes.

    Raises `Away` without a broker, or when `nodes` is empty.
    """
    return _change(fleet, deadline, queue, nodes, wanted=False)


def start_consuming(
    fleet: Fleet, deadline: Deadline, queue: str, nodes: Sequence[str]
) -> ConsumingOutcome:
    """Tell these workers to take from the queue, and look until they do or the deadline passes.

    A worker whose settings don't know the queue makes one of that name: check it with `purging.known_queue` first.
    Raises `Away` without a broker, or when `nodes` is empty.
    """
    return _change(fleet, deadline, queue, nodes, wanted=True)


def _change(
    fleet: Fleet, deadline: Deadline, queue: str, nodes: Sequence[str], *, wanted: bool
) -> ConsumingOutcome:
    before = fleet.workers.look(deadline.at_most(_ANSWER_SECONDS), fresh=True)
    command = "add_consumer" if wanted else "cancel_consumer"
    told = tell(fleet, deadline.at_most(_ANSWER_SECONDS), command, nodes, queue=queue)
    pause = threading.Event()
    while True:
        now = fleet.workers.look(deadline.at_most(_ANSWER_SECONDS), fresh=True)
        seen = {name: _consumes(now, name, queue) for name in nodes}
        # A worker does it in its own time, a moment after it has said yes.
        if all(one is wanted for one in seen.values()) or deadline.remaining() < _LOOK_EVERY:
            break
        pause.wait(_LOOK_EVERY)
    return ConsumingOutcome(
        queue=queue,
        wanted=wanted,
        consumed_before=consumers_of(before, queue),
        nodes=tuple(
            NodeConsumes(worker=name, consumes=seen[name], said=told.said_by(name))
            for name in sorted(set(nodes))
        ),
    )


def _consumes(view: FleetView, name: str, queue: str) -> bool | None:
    """Where two workers share a name, one that consumes makes it so."""
    lists = [worker.queues for worker in view.workers if worker.name == name]
    if not lists:
        return None
    if any(queues is not None and queue in queues for queues in lists):
        return True
    return None if None in lists else False
