"""`reserved`: tasks that workers took in advance and have not started, and since when each waits."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from knowledge_base_agent.fleet.deadline import Deadline
from knowledge_base_agent.fleet.views import HeldTask
from knowledge_base_agent.operations.headcount import LOOK_SECONDS, headcount, headcount_notes
from knowledge_base_agent.operations.held_filter import HeldFilter
from knowledge_base_agent.operations.operation import Operation, Progress, Risk, Target
from knowledge_base_agent.problems import Away
from knowledge_base_agent.records.database import reading
from knowledge_base_agent.records.task_history import TaskRecord, rows_by_ids
from knowledge_base_agent.redaction import plain
from knowledge_base_agent.report import Action, Column, Note, Part, Report, Row, Table, Tone, Value
from knowledge_base_agent.wording import counted

if TYPE_CHECKING:
    from knowledge_base_agent.deployment import Deployment

COLUMNS = (
    Column(key="name", label="Task"),
    Column(key="waiting_seconds", label="Waits for"),
    Column(key="sent_at", label="Sent at"),
    Column(key="taken_at", label="Taken at"),
    Column(key="worker", label="Worker"),
    Column(key="queue", label="Queue"),
    Column(key="redelivered", label="Given out before"),
    Column(key="id", label="Id"),
)


def _answer(deployment: "Deployment", arguments: HeldFilter, progress: Progress) -> Report:
    view = deployment.fleet.workers.look(
        Deadline.after(LOOK_SECONDS), arguments=arguments.arguments
    )
    listed = [task for worker in view.workers for task in worker.reserved]
    shown = arguments.kept(listed)
    records, notes = _records(deployment, shown)
    taken = sum(worker.waiting for worker in view.workers)
    rows = tuple(_row(task, records.get(task.id), view.taken_at, arguments) for task in shown)
    parts: list[Part] = []
    if rows:
        total = None if taken > len(listed) else len(rows)
        parts.append(
            Table(
                caption="Reserved tasks", columns=arguments.columns(COLUMNS), rows=rows, total=total
            )
        )
    if taken > len(listed):
        more = counted(taken - len(listed), "more is", "more are")
        notes.append(Note(text=f"{more} taken in advance by workers that list only some."))
    parts += [*notes, *headcount_notes(view)]
    found = counted(len(rows), "reserved task") if rows else "No reserved tasks seen"
    return Report(
        title="Reserved tasks",
        text=f"{found}; {headcount(view)}.{arguments.hidden(len(listed) - len(rows))}",
        parts=tuple(parts),
        tone=Tone.NEUTRAL if view.complete else Tone.WARNING,
        taken_at=view.taken_at,
        raw_of=arguments.raw_of(shown),
    )


def _records(
    deployment: "Deployment", tasks: Sequence[HeldTask]
) -> tuple[Mapping[str, TaskRecord], list[Note]]:
    """Return the tasks' rows: workers don't tell since when they have a task, the history does."""
    if not tasks:
        return {}, []
    try:
        with reading(deployment.engine) as connection:
            return rows_by_ids(connection, [task.id for task in tasks]), []
    except Away as problem:
        return {}, [
            Note(text=f"Since when they wait is unknown. {problem.what}", tone=Tone.WARNING)
        ]


def _row(task: HeldTask, record: TaskRecord | None, now: datetime, arguments: HeldFilter) -> Row:
    sent = record.published_at if record else None
    ago: Value = None if sent is None else max(now - sent, timedelta(0))
    given_out = {None: None, True: "yes", False: ""}[task.redelivered]
    return Row(
        cells=(
            plain(task.name, 120),
            ago,
            sent,
            record.received_at if record else None,
            plain(task.worker, 80),
            plain(task.queue, 80) if task.queue else None,
            given_out,
            plain(task.id, 128),
            *arguments.cells(task),
        ),
        actions=(Action(label="Revoke", words=f"revoke {task.id}", danger=True),),
        tone=Tone.WARNING if task.redelivered else Tone.NEUTRAL,
    )


RESERVED = Operation[HeldFilter, Target](
    name="reserved",
    aliases=("reserved-tasks",),
    summary="Shows the tasks that workers took in advance and have not started.",
    risk=Risk.READ,
    arguments=HeldFilter,
    answer=_answer,
)
