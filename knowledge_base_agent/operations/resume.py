"""`resume`: end a pause, and have the workers that were told to stop take from the queue again."""

from typing import TYPE_CHECKING, Annotated

from knowledge_base_agent.actors import who_acts
from knowledge_base_agent.clock import utc_now
from knowledge_base_agent.fleet.consuming import ConsumingOutcome, start_consuming
from knowledge_base_agent.fleet.deadline import Deadline
from knowledge_base_agent.fleet.views import FleetView
from knowledge_base_agent.operations.consuming_figures import consuming_table, troubles
from knowledge_base_agent.operations.headcount import headcount, headcount_notes
from knowledge_base_agent.operations.operation import (
    Arguments,
    Operation,
    Progress,
    Risk,
    Target,
    Word,
)
from knowledge_base_agent.operations.resume_task import resume_task
from knowledge_base_agent.operations.undo_pauses import keep_pause
from knowledge_base_agent.operations.words import queue as read_queue
from knowledge_base_agent.problems import NotFound
from knowledge_base_agent.records.database import reading, writing
from knowledge_base_agent.records.pauses import Pause, all_pauses, back_again, end_pause
from knowledge_base_agent.records.task_pauses import (
    TaskPause,
    all_task_pauses,
    begin_task_pause,
    end_task_pause,
)
from knowledge_base_agent.redaction import plain
from knowledge_base_agent.report import Action, Note, Part, Report, Tone
from knowledge_base_agent.wording import counted

if TYPE_CHECKING:
    from knowledge_base_agent.deployment import Deployment

_LOOK_SECONDS = 2.0
_TELL_SECONDS = 6.0


class ResumeArguments(Arguments):
    """What to resume."""

    subject: Annotated[
        str,
        Word(
            read=read_queue,
            help="the queue, or the task, to resume",
            example="agent",
            positional=True,
            value="QUEUE | TASK",
        ),
    ]


def _answer(deployment: "Deployment", arguments: ResumeArguments, progress: Progress) -> Report:
    fleet, queue = deployment.fleet, arguments.subject
    view = fleet.workers.look(Deadline.after(_LOOK_SECONDS), fresh=True)
    with writing(deployment.engine) as connection:
        pause = end_pause(connection, queue, at=utc_now(), by=who_acts())
        task = None
        if pause is not None:
            keep_pause(deployment, connection, queue, pause)
        else:
            task = end_task_pause(connection, queue, at=utc_now(), by=who_acts())
    if pause is None and task is None:
        task = _left_aside(deployment, queue)
    if task is not None:
        return resume_task(deployment, task, view, progress)
    if pause is None:
        raise _not_paused(deployment, queue)
    # Only those that took from it before: another one may have been started for other queues on purpose.
    there = [name for name in fleet.tellable(view) if name in pause.workers]
    away = sorted(set(pause.workers) - set(there))
    outcome = start_consuming(fleet, Deadline.after(_TELL_SECONDS), queue, there) if there else None
    back = outcome.as_wanted if outcome else ()
    with writing(deployment.engine) as connection:
        # Who is gone reads its own command line when it starts again; who may only be silent stays listed.
        back_again(connection, queue, [*back, *(away if view.complete else ())])
    return _report(pause, outcome, view)


def _left_aside(deployment: "Deployment", task: str) -> TaskPause | None:
    """Return a pause to end for a task without one of which messages are set aside all the same: its row was lost."""
    counts = deployment.fleet.parking.counts(Deadline.after(_LOOK_SECONDS))
    if not any(one.task == task for one in counts):
        return None
    now, by = utc_now(), who_acts()
    with writing(deployment.engine) as connection:
        begin_task_pause(connection, task, at=now, by=by, until=None)
        return end_task_pause(connection, task, at=now, by=by)


def _not_paused(deployment: "Deployment", queue: str) -> NotFound:
    with reading(deployment.engine) as connection:
        paused = [plain(one.queue, 60) for one in all_pauses(connection) if one.lasts]
        paused += [plain(one.task, 60) for one in all_task_pauses(connection) if one.lasts]
    listed = f"Paused are: {', '.join(paused)}." if paused else "No queue and no task is paused."
    return NotFound(f"“{plain(queue, 80)}” is not paused.", listed)


def _report(pause: Pause, outcome: ConsumingOutcome | None, view: FleetView) -> Report:
    name = plain(pause.queue, 80)
    parts: list[Part] = [consuming_table(outcome), *troubles(outcome)] if outcome else []
    if outcome is None:
        text = "No worker that took from it before is there now: start one, or what is sent waits."
        parts.append(Note(text=text, tone=Tone.WARNING))
    parts += list(headcount_notes(view))
    done = outcome.verified if outcome else True
    seen = "nobody was there to be told"
    if outcome:
        workers = counted(len(outcome.nodes), "worker")
        seen = f"{len(outcome.as_wanted)} of {workers} seen to take from it again"
    return Report(
        title=f"Resumed {name}" if done else f"Resume {name}: not all workers yet",
        text=f"Queue {name}, paused by {plain(pause.by, 60)}, is resumed; {seen} ({headcount(view)}).",
        parts=tuple(parts),
        tone=Tone.GOOD if done and outcome else Tone.WARNING,
        actions=(Action(label="Stats", words="stats"),),
        succeeded=done,
        taken_at=utc_now(),
        data={"queue": pause.queue, "taking": list(outcome.as_wanted) if outcome else []},
    )


RESUME = Operation[ResumeArguments, Target](
    name="resume",
    summary="Ends the pause of a queue or a task; what was set aside goes back, in order.",
    risk=Risk.CHANGE,
    arguments=ResumeArguments,
    answer=_answer,
)
