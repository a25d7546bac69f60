"""`scheduled`: tasks that workers keep until their time (ETA, countdown, a retry's delay), told as times."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from knowledge_base_agent.fleet.deadline import Deadline
from knowledge_base_agent.fleet.views import FleetView, HeldTask
from knowledge_base_agent.operations.headcount import LOOK_SECONDS, headcount, headcount_notes
from knowledge_base_agent.operations.held_filter import HeldFilter
from knowledge_base_agent.operations.operation import Operation, Progress, Risk, Target
from knowledge_base_agent.redaction import plain
from knowledge_base_agent.report import Action, Column, Note, Part, Report, Row, Table, Tone, Value
from knowledge_base_agent.wording import counted, duration

if TYPE_CHECKING:
    from knowledge_base_agent.deployment import Deployment

_SKEW_WORTH_SAYING = timedelta(seconds=5)
COLUMNS = (
    Column(key="name", label="Task"),
    Column(key="due_in_seconds", label="Due in"),
    Column(key="eta", label="Due at"),
    Column(key="worker", label="Worker"),
    Column(key="queue", label="Queue"),
    Column(key="retries", label="Retries"),
    Column(key="id", label="Id"),
)


def _answer(deployment: "Deployment", arguments: HeldFilter, progress: Progress) -> Report:
    view = deployment.fleet.workers.look(
        Deadline.after(LOOK_SECONDS), arguments=arguments.arguments
    )
    listed = [task for worker in view.workers for task in worker.scheduled]
    shown = sorted(arguments.kept(listed), key=_nearest_first)
    kept = sum(worker.postponed for worker in view.workers)
    rows = tuple(_row(task, view.taken_at, arguments) for task in shown)
    # Where a worker listed only its nearest, how many of the rest fit is unknown.
    total = None if kept > len(listed) else len(rows)
    parts: list[Part] = []
    if rows:
        parts.append(
            Table(
                caption="Scheduled tasks",
                columns=arguments.columns(COLUMNS),
                rows=rows,
                total=total,
            )
        )
    parts += [*_notes(view, kept - len(listed)), *headcount_notes(view)]
    found = counted(len(rows), "scheduled task") if rows else "No scheduled tasks seen"
    return Report(
        title="Scheduled tasks",
        text=f"{found}; {headcount(view)}.{arguments.hidden(len(listed) - len(rows))}",
        parts=tuple(parts),
        tone=Tone.NEUTRAL if view.complete else Tone.WARNING,
        taken_at=view.taken_at,
        raw_of=arguments.raw_of(shown),
    )


def _nearest_first(task: HeldTask) -> float:
    return task.eta.timestamp() if task.eta else float("inf")


def _notes(view: FleetView, not_listed: int) -> Iterator[Note]:
    if not_listed > 0:
        yield Note(
            text=f"{counted(not_listed, 'more is', 'more are')} kept by workers that list only their nearest."
        )
    for worker in view.workers:
        if worker.postponed and worker.skew is not None and abs(worker.skew) >= _SKEW_WORTH_SAYING:
            ahead = "ahead of" if worker.skew > timedelta(0) else "behind"
            effect = "earlier" if worker.skew > timedelta(0) else "later"
            by = duration(abs(worker.skew))
            yield Note(
                text=f"Clock skew: {plain(worker.name, 80)} is {by} {ahead} this machine, and starts its tasks "
                f"{effect} by as much.",
                tone=Tone.WARNING,
            )


def _row(task: HeldTask, now: datetime, arguments: HeldFilter) -> Row:
    due: Value = None
    if task.eta is not None:
        due = task.eta - now if task.eta > now else "due now"
    return Row(
        cells=(
            plain(task.name, 120),
            due,
            task.eta,
            plain(task.worker, 80),
            plain(task.queue, 80) if task.queue else None,
            task.retries,
            plain(task.id, 128),
            *arguments.cells(task),
        ),
        actions=(Action(label="Revoke", words=f"revoke {task.id}", danger=True),),
    )


SCHEDULED = Operation[HeldFilter, Target](
    name="scheduled",
    aliases=("scheduled-tasks",),
    summary="Shows the tasks that workers keep until their time.",
    risk=Risk.READ,
    arguments=HeldFilter,
    answer=_answer,
)
