"""`workers`: each worker that answered, and what is known of those that did not."""

from datetime import timedelta
from typing import TYPE_CHECKING

from knowledge_base_agent.fleet.deadline import Deadline
from knowledge_base_agent.fleet.views import FleetView, WorkerView
from knowledge_base_agent.operations.headcount import LOOK_SECONDS, headcount, headcount_notes
from knowledge_base_agent.operations.operation import Arguments, Operation, Progress, Risk, Target
from knowledge_base_agent.redaction import plain
from knowledge_base_agent.report import Action, Column, Note, Part, Report, Row, Size, Table, Tone
from knowledge_base_agent.wording import counted, duration

if TYPE_CHECKING:
    from knowledge_base_agent.deployment import Deployment

_SKEWED = timedelta(seconds=5)
COLUMNS = (
    Column(key="name", label="Worker"),
    Column(key="pool", label="Pool"),
    Column(key="concurrency", label="Slots"),
    Column(key="busy", label="Busy"),
    Column(key="waiting", label="Taken, waiting"),
    Column(key="eta", label="ETA"),
    Column(key="memory_bytes", label="Most memory"),
    Column(key="uptime_seconds", label="Up for"),
    Column(key="queues", label="Queues"),
    Column(key="processed", label="Tasks taken"),
    Column(key="skew_seconds", label="Clock ahead by"),
)


class WorkersArguments(Arguments):
    """Nothing to say."""


def _answer(deployment: "Deployment", arguments: WorkersArguments, progress: Progress) -> Report:
    view = deployment.fleet.workers.look(Deadline.after(LOOK_SECONDS))
    parts: list[Part] = []
    if view.workers:
        rows = tuple(_row(worker) for worker in view.workers)
        parts.append(Table(caption="Workers", columns=COLUMNS, rows=rows, total=view.receivers))
    parts += [*_skews(view), *headcount_notes(view)]
    slots = [worker.concurrency for worker in view.workers]
    total = None if None in slots else sum(number or 0 for number in slots)
    busy = sum(worker.busy for worker in view.workers)
    of = "an unknown number of" if total is None else f"{total:,}"
    return Report(
        title="Workers",
        text=f"{headcount(view).capitalize()}; {busy:,} of {of} slots busy."
        if view.workers
        else f"No worker answered: {headcount(view)}.",
        parts=tuple(parts),
        tone=Tone.NEUTRAL if view.complete and view.workers else Tone.WARNING,
        actions=(
            Action(label="Grow by 1", words="workers grow 1"),
            Action(label="Shrink by 1", words="workers shrink 1"),
            Action(label="Active", words="active"),
        )
        if view.workers
        else (),
        taken_at=view.taken_at,
    )


def _row(worker: WorkerView) -> Row:
    memory = Size(worker.memory_kb * 1024) if worker.memory_kb is not None else None
    queues = None if worker.queues is None else ", ".join(plain(one, 60) for one in worker.queues)
    skew = worker.skew
    if skew is not None and abs(skew) < _SKEWED:
        skew = timedelta(0)  # what the way of the answer takes is no skew
    return Row(
        cells=(
            plain(worker.name, 80),
            worker.pool.value,
            worker.concurrency,
            worker.busy,
            worker.waiting,
            worker.postponed,
            memory,
            worker.uptime,
            "none" if queues == "" else queues,
            worker.processed,
            None if skew is None else _ahead(skew),
        ),
        tone=Tone.WARNING if skew or queues == "" or worker.ours is False else Tone.NEUTRAL,
    )


def _ahead(skew: timedelta) -> str | timedelta:
    """Return the skew, one that lags in words: a negative duration would read as an age."""
    return skew if skew >= timedelta(0) else f"behind by {duration(-skew)}"


def _skews(view: FleetView) -> list[Note]:
    found = [one for one in view.workers if one.skew is not None and abs(one.skew) >= _SKEWED]
    if not found:
        return []
    names = ", ".join(plain(one.name, 80) for one in found)
    workers = counted(len(found), "worker")
    text = f"Clock skew on {workers}: {names}. Times in rows, and ETA tasks, are off by as much: set the clocks."
    return [Note(text=text, tone=Tone.WARNING)]


WORKERS = Operation[WorkersArguments, Target](
    name="workers",
    summary="Shows each worker: pool, slots, memory, queues, clock.",
    risk=Risk.READ,
    arguments=WorkersArguments,
    answer=_answer,
)
