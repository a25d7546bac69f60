"""`pause`: have every worker leave a queue alone, those included that join later, until someone resumes it."""

import shlex
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated

from knowledge_base_agent.actors import who_acts
from knowledge_base_agent.clock import utc_now
from knowledge_base_agent.fleet.consuming import ConsumingOutcome, consumers_of, stop_consuming
from knowledge_base_agent.fleet.deadline import Deadline
from knowledge_base_agent.fleet.held import held_by_queue
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
from knowledge_base_agent.operations.pausable import is_task
from knowledge_base_agent.operations.pause_notes import until
from knowledge_base_agent.operations.pause_task import pause_task
from knowledge_base_agent.operations.undo_pauses import keep_pause
from knowledge_base_agent.operations.words import duration as read_duration
from knowledge_base_agent.operations.words import queue as read_queue
from knowledge_base_agent.records.database import writing
from knowledge_base_agent.records.pauses import Pause, begin_pause, read_pause
from knowledge_base_agent.redaction import plain
from knowledge_base_agent.report import Action, Note, Part, Report, Tone
from knowledge_base_agent.wording import counted

if TYPE_CHECKING:
    from knowledge_base_agent.deployment import Deployment

_LOOK_SECONDS = 2.0
_TELL_SECONDS = 6.0


class PauseArguments(Arguments):
    """What to pause, and for how long."""

    subject: Annotated[
        str,
        Word(
            read=read_queue,
            help="the queue, or the task, to pause",
            example="agent",
            positional=True,
            value="QUEUE | TASK",
        ),
    ]
    for_: Annotated[
        timedelta | None,
        Word(
            read=read_duration,
            help="resume it by itself after this; a bare number is hours",
            example="30m",
        ),
    ] = None


def _answer(deployment: "Deployment", arguments: PauseArguments, progress: Progress) -> Report:
    fleet = deployment.fleet
    view = fleet.workers.look(Deadline.after(_LOOK_SECONDS), fresh=True)
    now, queue = utc_now(), arguments.subject
    queues = fleet.queues.depths(Deadline.after(_LOOK_SECONDS), view, asked=(queue,))
    end = None if arguments.for_ is None else now + arguments.for_
    if is_task(deployment, queues, queue):
        return pause_task(deployment, queue, end, now, view)
    # Kept before anyone is told: a worker that joins in between is told by the keeper.
    with writing(deployment.engine) as connection:
        former = read_pause(connection, queue, locked=True)
        pause = begin_pause(
            connection, queue, at=now, by=who_acts(), until=end, workers=consumers_of(view, queue)
        )
        keep_pause(deployment, connection, queue, former)
    nodes = fleet.tellable(view)
    if not nodes:
        return _nobody(pause, former, view, now)
    outcome = stop_consuming(fleet, Deadline.after(_TELL_SECONDS), queue, nodes)
    return _report(pause, former, outcome, view, now)


def _nobody(pause: Pause, former: Pause | None, view: FleetView, now: datetime) -> Report:
    return Report(
        title=f"Paused {plain(pause.queue, 80)}",
        text=f"Queue {plain(pause.queue, 80)} is paused {until(pause.until, now)}.{_before(former)} "
        "No worker is there to be told; "
        "each that joins will be.",
        parts=(_joiners(), *headcount_notes(view)),
        tone=Tone.WARNING,
        actions=(_resume(pause.queue),),
        taken_at=now,
    )


def _before(former: Pause | None) -> str:
    if former is None or not former.lasts:
        return ""
    end = "" if former.until is None else f", until {former.until:%Y-%m-%d %H:%M:%S} UTC"
    return f" It was paused already: by {plain(former.by, 60)}, since {former.at:%Y-%m-%d %H:%M:%S} UTC{end}."


def _report(
    pause: Pause,
    former: Pause | None,
    outcome: ConsumingOutcome,
    view: FleetView,
    now: datetime,
) -> Report:
    name = plain(pause.queue, 80)
    parts: list[Part] = [consuming_table(outcome), *troubles(outcome)]
    if not outcome.consumed_before and view.complete and former is None:
        text = "No worker took from this queue before: is it the one that you mean?"
        parts.append(Note(text=text, tone=Tone.WARNING))
    parts += [*_going_on(view, pause.queue), _joiners(), *headcount_notes(view)]
    stopped = f"{len(outcome.as_wanted)} of {counted(len(outcome.nodes), 'worker')} seen to leave it alone"
    return Report(
        title=f"Paused {name}" if outcome.verified else f"Pause {name}: not all workers yet",
        text=f"Queue {name} is paused {until(pause.until, now)}; {stopped} ({headcount(view)}).{_before(former)}",
        parts=tuple(parts),
        tone=Tone.GOOD if outcome.verified else Tone.WARNING,
        actions=(_resume(pause.queue),),
        succeeded=outcome.verified,
        taken_at=now,
        data={"queue": pause.queue, "stopped": list(outcome.as_wanted)},
    )


def _going_on(view: FleetView, queue: str) -> Iterator[Note]:
    held = held_by_queue(view, (queue,))[queue]
    if held.waiting or held.running:
        yield Note(
            text=f"With workers already, and going on: {len(held.running):,} running, {len(held.reserved):,} taken "
            f"in advance, {len(held.scheduled):,} waiting for their time.",
            tone=Tone.WARNING,
        )


def _joiners() -> Note:
    return Note(
        text="A worker that starts reads this for itself where its app heeds it (ours does); any other is told by the "
        "bot within seconds, and by nobody while no bot runs."
    )


def _resume(queue: str) -> Action:
    return Action(label="Resume", words=shlex.join(["resume", queue]))


PAUSE = Operation[PauseArguments, Target](
    name="pause",
    summary="Has every worker leave a queue alone, or set one task aside, also those that join, until it is resumed.",
    risk=Risk.CHANGE,
    arguments=PauseArguments,
    answer=_answer,
)
