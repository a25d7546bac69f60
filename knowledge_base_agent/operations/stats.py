"""`stats`: the whole deployment at a glance. Every part stands alone: one that can't be read is said to be unknown."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from msgspec import Struct

from knowledge_base_agent.clock import utc_now
from knowledge_base_agent.fleet.deadline import Deadline, Unknown, gather
from knowledge_base_agent.fleet.queue_views import QueuesView
from knowledge_base_agent.fleet.views import FleetView
from knowledge_base_agent.operations.aside_waiting import aside_notes
from knowledge_base_agent.operations.audit_waiting import waiting_notes
from knowledge_base_agent.operations.fleet_figures import queue_parts, worker_parts
from knowledge_base_agent.operations.headcount import LOOK_SECONDS, headcount
from knowledge_base_agent.operations.history_figures import (
    HistoryFigures,
    history_parts,
    last_day_chart,
    read_history,
)
from knowledge_base_agent.operations.operation import (
    Arguments,
    Operation,
    Progress,
    Risk,
    Target,
)
from knowledge_base_agent.operations.pause_notes import pause_banner
from knowledge_base_agent.operations.redis_figures import redis_parts
from knowledge_base_agent.problems import Away
from knowledge_base_agent.report import Action, Note, Part, Report, Tone
from knowledge_base_agent.wording import counted

if TYPE_CHECKING:
    from knowledge_base_agent.deployment import Deployment

_SECONDS = 2.2
_TO_TELL = 0.2
"""Seconds that are left to tell who is away: else it is chance whether that is named, or what has asked it."""
_AT_ONCE = 0.25
"""Seconds: who asks so soon after another gets the same answer, which says when it was read."""
_ASKED_NEXT = (Action(label="Active", words="active"), Action(label="Stuck", words="stuck"))
Figure = TypeVar("Figure")


class StatsArguments(Arguments):
    """Nothing to say."""


class _Read(Struct, frozen=True, kw_only=True):
    """What could be read, each part on its own."""

    history: HistoryFigures | Unknown
    fleet: FleetView | Unknown
    queues: QueuesView | Unknown
    redis: tuple[Part, ...] | Unknown
    paused: tuple[tuple[Note, ...], tuple[Action, ...]] | Unknown
    audit: tuple[Note, ...] | Unknown


def _answer(deployment: "Deployment", arguments: StatsArguments, progress: Progress) -> Report:
    deadline = Deadline.after(_SECONDS)
    read = partial(_told, deployment, deadline)
    return deployment.shared.get(deadline, STATS.name, read, not_older=_AT_ONCE)


def _told(deployment: "Deployment", deadline: Deadline) -> Report:
    taken_at = utc_now()
    read = _read(deployment, deadline)
    parts = tuple(_parts(read))
    unknown = [one for one in (read.history, read.fleet, read.queues) if isinstance(one, Unknown)]
    warned = any(isinstance(part, Note) and part.tone is not Tone.NEUTRAL for part in parts)
    return Report(
        title="Stats",
        text=_sentence(read),
        parts=parts,
        tone=Tone.BAD if unknown else Tone.WARNING if warned else Tone.GOOD,
        actions=(*_resumes(read), *_ASKED_NEXT),
        taken_at=taken_at,
    )


def _read(deployment: "Deployment", deadline: Deadline) -> _Read:
    calls: dict[str, Callable[[], object]] = {
        "the database": lambda: read_history(deployment.engine),
        "the workers": lambda: _fleet_and_queues(deployment, deadline),
        "Redis": lambda: tuple(redis_parts(deployment, _sooner(deadline))),
        "the pauses": lambda: pause_banner(deployment),
        "the audit": lambda: (*waiting_notes(deployment), *aside_notes(deployment)),
    }
    found = gather(deadline, calls)
    history, both, redis = found["the database"], found["the workers"], found["Redis"]
    view, queues = both if isinstance(both, tuple) else (both, both)
    return _Read(
        history=_as(HistoryFigures, history),
        fleet=_as(FleetView, view),
        queues=_as(QueuesView, queues),
        redis=_as(tuple, redis),
        paused=_as(tuple, found["the pauses"]),
        audit=_as(tuple, found["the audit"]),
    )


def _as(kind: type[Figure], found: object) -> Figure | Unknown:
    if isinstance(found, kind | Unknown):
        return found
    raise TypeError(f"{kind.__name__} was asked for, and {type(found).__name__} came")


def _fleet_and_queues(
    deployment: "Deployment", deadline: Deadline
) -> tuple[FleetView | Unknown, QueuesView | Unknown]:
    """Ask workers first: what they know of queues adds to what the broker knows, which stands without them too."""
    view: FleetView | Unknown
    try:
        view = deployment.fleet.workers.look(deadline.at_most(LOOK_SECONDS))
    except Away as problem:  # it may refuse control (full, or an ACL) and still show its queues
        view = Unknown(reason=str(problem))
    try:
        known = view if isinstance(view, FleetView) else None
        return view, deployment.fleet.queues.depths(_sooner(deadline), known)
    except Away as problem:
        return view, Unknown(reason=str(problem))


def _sooner(deadline: Deadline) -> Deadline:
    return deadline.at_most(max(deadline.remaining() - _TO_TELL, 0.0))


def _resumes(read: _Read) -> tuple[Action, ...]:
    return () if isinstance(read.paused, Unknown) else read.paused[1]


def _warnings(read: _Read) -> Iterator[Part]:
    if isinstance(read.paused, Unknown):
        yield _unknown("whether a queue is paused", read.paused)
    else:
        yield from read.paused[0]
    if not isinstance(read.audit, Unknown):  # with the database away, that is said once
        yield from read.audit


def _parts(read: _Read) -> Iterator[Part]:
    yield from _warnings(read)
    if isinstance(read.fleet, Unknown):
        both = "workers and queues" if isinstance(read.queues, Unknown) else "workers"
        yield _unknown(both, read.fleet)
    else:
        yield from worker_parts(read.fleet)
    if isinstance(read.queues, QueuesView):
        yield from queue_parts(read.queues)
    elif isinstance(read.fleet, FleetView):
        yield _unknown("queues", read.queues)
    if isinstance(read.history, Unknown):
        yield _unknown("rows by state and the last 24 hours", read.history)
    else:
        yield from history_parts(read.history)
    if isinstance(read.redis, Unknown):
        yield _unknown("Redis memory", read.redis)
    else:
        yield from read.redis
    if isinstance(read.history, HistoryFigures):
        chart = last_day_chart(read.history.hours)
        yield chart or Note(text="No task ended in the last 24 hours.")


def _unknown(what: str, why: Unknown) -> Note:
    return Note(text=f"Unknown: {what}. {why.reason}", tone=Tone.BAD)


def _sentence(read: _Read) -> str:
    parts = []
    if isinstance(read.fleet, FleetView):
        busy = sum(worker.busy for worker in read.fleet.workers)
        # Who did not answer may be busy, so then this is what was seen and no more.
        seen = "" if read.fleet.complete else " seen"
        parts.append(f"{counted(busy, 'active task')}{seen}, {headcount(read.fleet)}")
    else:
        parts.append("active tasks unknown")
    if isinstance(read.queues, QueuesView):
        ready = [queue.ready for queue in read.queues.queues]
        total = None if None in ready else sum(n for n in ready if n is not None)
        parts.append(f"{counted(total, 'message')} ready in queues")
    if isinstance(read.history, HistoryFigures):
        rows = ", ".join(f"{n:,} {state}" for state, n in read.history.by_state.items())
        parts.append(f"rows: {rows}" if rows else "no rows yet")
    else:
        parts.append("rows unknown")
    return "; ".join(parts) + "."


STATS = Operation[StatsArguments, Target](
    name="stats",
    summary="Shows the whole deployment at a glance.",
    risk=Risk.READ,
    arguments=StatsArguments,
    answer=_answer,
)
