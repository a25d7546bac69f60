"""`resume TASK`: have the workers handle it as ever, and bring back what was set aside, in order."""

from typing import TYPE_CHECKING

from knowledge_base_agent.clock import utc_now
from knowledge_base_agent.fleet.deadline import Deadline
from knowledge_base_agent.fleet.parking import BroughtBack
from knowledge_base_agent.fleet.task_pausing import SettingAside, change_task, unable
from knowledge_base_agent.fleet.views import FleetView
from knowledge_base_agent.operations.headcount import headcount, headcount_notes
from knowledge_base_agent.operations.operation import Progress
from knowledge_base_agent.operations.pause_task import aside_table
from knowledge_base_agent.records.database import writing
from knowledge_base_agent.records.task_pauses import TaskPause, all_back
from knowledge_base_agent.redaction import plain
from knowledge_base_agent.report import Action, Note, Part, Report, Tone
from knowledge_base_agent.wording import counted

if TYPE_CHECKING:
    from knowledge_base_agent.deployment import Deployment

_TELL_SECONDS = 6.0
_BACK_SECONDS = 120.0


def resume_task(
    deployment: "Deployment", pause: TaskPause, view: FleetView, progress: Progress
) -> Report:
    """Carry out the end of a pause: tell the workers first, for they would set aside what comes back."""
    fleet = deployment.fleet
    nodes = [name for name in fleet.tellable(view) if name not in unable(view)]
    deadline = Deadline.after(_TELL_SECONDS)
    outcome = change_task(fleet, deadline, pause.task, nodes, pause=False) if nodes else None
    back = fleet.parking.bring_back(
        Deadline.after(_BACK_SECONDS), pause.task, told=lambda done, all_: progress(done, all_)
    )
    done = (outcome is None or outcome.verified) and back.left == 0
    if done and view.complete:
        with writing(deployment.engine) as connection:
            all_back(connection, pause.task)
    return _report(pause, outcome, back, view)


def _report(
    pause: TaskPause, outcome: SettingAside | None, back: BroughtBack, view: FleetView
) -> Report:
    name = plain(pause.task, 80)
    parts: list[Part] = [aside_table(outcome)] if outcome else []
    if back.left:
        text = f"{counted(back.left, 'message')} set aside still: the bot goes on bringing back what is."
        parts.append(Note(text=text, tone=Tone.WARNING))
    parts += headcount_notes(view)
    done = (outcome is None or outcome.verified) and back.left == 0
    seen = "no worker is there to be told"
    if outcome:
        workers = counted(len(outcome.nodes), "worker")
        seen = f"{len(outcome.as_wanted)} of {workers} seen to handle it as ever"
    return Report(
        title=f"Resumed {name}" if done else f"Resume {name}: not all of it yet",
        text=f"Task {name}, paused by {plain(pause.by, 60)}, is resumed; {seen} ({headcount(view)}). {_back(back)}",
        parts=tuple(parts),
        tone=Tone.GOOD if done and outcome else Tone.WARNING,
        actions=(Action(label="Stats", words="stats"),),
        succeeded=done,
        taken_at=utc_now(),
        data={"task": pause.task, "brought_back": back.total, "left": back.left},
    )


def _back(back: BroughtBack) -> str:
    if not back.total:
        return "Nothing was set aside."
    queues = ", ".join(f"{one.count:,} to {plain(one.queue, 60)}" for one in back.moved)
    return f"{counted(back.total, 'message')} went back, behind what waits there: {queues}."
