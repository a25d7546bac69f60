"""Ending workers: always by name, drained first, and verified by who still hears broadcasts.

A broadcast without names would end every worker on the broker, other apps' included. A worker that was told ends
"warm": it stops listening at once and finishes what it has begun, unseen. So it is drained before: its consumers are
cancelled and its tasks awaited, as long as the caller can wait; then "no longer listens" means that it is gone.
"""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from knowledge_base_agent.fleet.deadline import Deadline
from knowledge_base_agent.fleet.fleet import Fleet
from knowledge_base_agent.fleet.telling import tell
from knowledge_base_agent.fleet.views import FleetView, WorkerView

VERIFY_SECONDS = 10.0
"""How long to look for a worker that was told to end."""
_ANSWER_SECONDS = 2.0
_NO_REPLY_SECONDS = 0.5
_LOOK_EVERY = 0.3


class End(StrEnum):
    """What has become of a worker that was told to shut down."""

    GONE = "gone"
    """It no longer listens, and had nothing left to do."""
    FINISHING = "finishing"
    """It no longer listens; what it had begun it may still finish, which nobody can see."""
    STILL_THERE = "still there"
    """It answers."""
    UNKNOWN = "unknown"
    """It does not answer, and was not seen to leave: it may still shut down when it wakes."""


@dataclass(frozen=True, kw_only=True)
class NodeEnd:
    """One worker that was told."""

    worker: str
    end: End
    unfinished: int | None
    """Tasks that it had begun or taken in advance when it was told; None where it did not say."""
    drained: bool
    """Whether it was seen with nothing left to do before it was told."""
    postponed: int
    """Tasks that it kept until their time: they go back to their queue when it ends warm."""


def shut_down(
    fleet: Fleet,
    nodes: Sequence[str],
    *,
    drain: Deadline,
    told: Callable[[int, int], None] | None = None,
) -> tuple[NodeEnd, ...]:
    """Drain these workers until `drain` at most, tell them to end, and look for up to `VERIFY_SECONDS` if they did.

    `told(idle, total)` is called while draining. Raises `Away` without a broker, or when `nodes` is empty; what was
    sent by then may still take effect.
    """
    last = _drain(fleet, nodes, drain, told)
    # The worker raises its way out and never replies: there is no answer to wait for.
    tell(fleet, Deadline.after(_NO_REPLY_SECONDS), "shutdown", nodes)
    deadline = Deadline.after(VERIFY_SECONDS)
    pause = threading.Event()
    while True:
        now = fleet.workers.look(deadline.at_most(_ANSWER_SECONDS), fresh=True)
        ends = tuple(_end(name, last, now) for name in sorted(set(nodes)))
        settled = all(one.end in (End.GONE, End.FINISHING) for one in ends)
        if settled or deadline.remaining() < _LOOK_EVERY:
            return ends
        pause.wait(_LOOK_EVERY)


def _drain(
    fleet: Fleet,
    nodes: Sequence[str],
    deadline: Deadline,
    told: Callable[[int, int], None] | None,
) -> dict[str, list[WorkerView]]:
    """Cancel what these workers consume, wait until they have nothing to do; return each as it was last seen."""
    first = fleet.workers.look(Deadline.after(_ANSWER_SECONDS), fresh=True)
    last = _seen(first, nodes)
    by_queue: dict[str, set[str]] = {}
    for name, workers in last.items():
        for queue in {queue for worker in workers for queue in worker.queues or ()}:
            by_queue.setdefault(queue, set()).add(name)
    for queue, consumers in sorted(by_queue.items()):
        answer_by = Deadline.after(_ANSWER_SECONDS)
        tell(fleet, answer_by, "cancel_consumer", sorted(consumers), queue=queue)
    pause = threading.Event()
    while True:
        now = fleet.workers.look(Deadline.after(_ANSWER_SECONDS), fresh=True)
        last |= _seen(now, nodes)
        idle = sum(_unfinished(workers) == 0 for workers in last.values())
        if told is not None:
            told(idle, len(last))
        if idle == len(last) or deadline.remaining() < _LOOK_EVERY:
            return last
        pause.wait(_LOOK_EVERY)


def _seen(view: FleetView, nodes: Sequence[str]) -> dict[str, list[WorkerView]]:
    found: dict[str, list[WorkerView]] = {}
    for worker in view.workers:
        if worker.name in nodes:
            found.setdefault(worker.name, []).append(worker)
    return found


def _unfinished(workers: Sequence[WorkerView]) -> int:
    return sum(worker.busy + worker.waiting for worker in workers)


def _end(name: str, last: dict[str, list[WorkerView]], now: FleetView) -> NodeEnd:
    workers = last.get(name)
    unfinished = None if workers is None else _unfinished(workers)
    return NodeEnd(
        worker=name,
        end=_fate(name, unfinished, now),
        unfinished=unfinished,
        drained=unfinished == 0,
        postponed=sum(worker.postponed for worker in workers or ()),
    )


def _fate(name: str, unfinished: int | None, now: FleetView) -> End:
    if any(worker.name == name for worker in now.workers):
        return End.STILL_THERE
    left = any(known.name == name and known.left is not None for known in now.roster)
    if not left or name in now.silent:
        return End.UNKNOWN
    return End.GONE if unfinished == 0 else End.FINISHING
