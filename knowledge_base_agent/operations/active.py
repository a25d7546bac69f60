"""`active`: what the workers run right now, asked of the workers themselves."""

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING

from knowledge_base_agent.clock import utc_now
from knowledge_base_agent.fleet.connections import PROGRESS as PROGRESS_STORE
from knowledge_base_agent.fleet.deadline import Deadline, within
from knowledge_base_agent.fleet.views import HeldTask
from knowledge_base_agent.operations.headcount import LOOK_SECONDS, headcount, headcount_notes
from knowledge_base_agent.operations.held_filter import HeldFilter
from knowledge_base_agent.operations.operation import Operation, Risk, Target
from knowledge_base_agent.operations.operation import Progress as Telling
from knowledge_base_agent.operations.pause_notes import pause_banner
from knowledge_base_agent.problems import Away
from knowledge_base_agent.records.task_progress import Progress, read_progress
from knowledge_base_agent.redaction import plain
from knowledge_base_agent.report import Action, Column, Note, Part, Report, Row, Table, Tone
from knowledge_base_agent.wording import counted

if TYPE_CHECKING:
    from knowledge_base_agent.deployment import Deployment

_PROGRESS_SECONDS = 0.6
COLUMNS = (
    Column(key="name", label="Task"),
    Column(key="age_seconds", label="Running for"),
    Column(key="worker", label="Worker"),
    Column(key="queue", label="Queue"),
    Column(key="progress", label="Progress"),
    Column(key="started_at", label="Started"),
    Column(key="id", label="Id"),
)


def _answer(deployment: "Deployment", arguments: HeldFilter, progress: Telling) -> Report:
    view = deployment.fleet.workers.look(
        Deadline.after(LOOK_SECONDS), arguments=arguments.arguments
    )
    everything = [task for worker in view.workers for task in worker.active]
    running = arguments.kept(everything)
    told, note = told_progress(deployment, [task.id for task in running])
    rows = tuple(
        _row(task, told.get(task.id), arguments) for task in sorted(running, key=_longest_first)
    )
    columns = arguments.columns(COLUMNS)
    parts: list[Part] = []
    if rows:
        parts.append(Table(caption="Active tasks", columns=columns, rows=rows, total=len(rows)))
    paused, resumes = pause_banner(deployment)
    parts += [*paused, *headcount_notes(view), *note]
    found = counted(len(rows), "active task") if rows else "No active tasks seen"
    return Report(
        title="Active tasks",
        text=f"{found}; {headcount(view)}.{arguments.hidden(len(everything) - len(running))}",
        parts=tuple(parts),
        tone=Tone.NEUTRAL if view.complete and not paused else Tone.WARNING,
        actions=resumes,
        taken_at=view.taken_at,
        raw_of=arguments.raw_of(running),
    )


def told_progress(
    deployment: "Deployment", ids: Collection[str]
) -> tuple[Mapping[str, Progress], tuple[Note, ...]]:
    """Return what these tasks told of their progress, and a note where that could not be read."""
    if not ids:
        return {}, ()
    try:
        return within(
            Deadline.after(_PROGRESS_SECONDS),
            lambda: read_progress(deployment.progress_redis, ids),
            source=PROGRESS_STORE,
        ), ()
    except Away as problem:
        return {}, (Note(text=f"Progress is unknown. {problem.what}", tone=Tone.WARNING),)


def told(progress: Progress | None) -> str:
    """Return how far a task is, in words; empty when it told nothing."""
    if progress is None:
        return ""
    parts = [plain(progress.phase or "", 40), plain(progress.note or "", 80)]
    if progress.done is not None and progress.total is not None:
        parts.insert(0, f"{progress.done:,.0f}/{progress.total:,.0f}")
    elif progress.done is not None:
        parts.insert(0, f"{progress.done:,.0f}")
    return " · ".join(part for part in parts if part)


def _longest_first(task: HeldTask) -> float:
    return task.started_at.timestamp() if task.started_at else float("-inf")


def _row(task: HeldTask, progress: Progress | None, arguments: HeldFilter) -> Row:
    return Row(
        cells=(
            plain(task.name, 120),
            utc_now() - task.started_at if task.started_at else None,
            plain(task.worker, 80),
            plain(task.queue, 80) if task.queue else None,
            told(progress),
            task.started_at,
            plain(task.id, 128),
            *arguments.cells(task),
        ),
        progress=progress.share if progress else None,
        actions=task_actions(task.id),
    )


def task_actions(task_id: str) -> tuple[Action, ...]:
    """Return the buttons that fit a running task."""
    return (
        Action(label="Logs", words=f"logs {task_id}"),
        Action(label="Revoke", words=f"revoke {task_id} --terminate", danger=True),
    )


ACTIVE = Operation[HeldFilter, Target](
    name="active",
    aliases=("active-tasks",),
    summary="Shows what the workers run right now.",
    risk=Risk.READ,
    arguments=HeldFilter,
    answer=_answer,
)
