"""`pause TASK`: have every worker set aside the messages of one task, and go on with all others."""

import shlex
from datetime import datetime
from typing import TYPE_CHECKING

from knowledge_base_agent.actors import who_acts
from knowledge_base_agent.clock import utc_now
from knowledge_base_agent.fleet.deadline import Deadline
from knowledge_base_agent.fleet.task_pausing import SettingAside, change_task, unable
from knowledge_base_agent.fleet.views import FleetView, Place
from knowledge_base_agent.operations.headcount import headcount, headcount_notes
from knowledge_base_agent.operations.pausable import queue_of
from knowledge_base_agent.operations.pause_notes import until
from knowledge_base_agent.problems import Misunderstood
from knowledge_base_agent.records.database import writing
from knowledge_base_agent.records.task_pauses import TaskPause, begin_task_pause
from knowledge_base_agent.redaction import plain
from knowledge_base_agent.report import Action, Column, Note, Part, Report, Row, Table, Tone
from knowledge_base_agent.wording import counted

if TYPE_CHECKING:
    from knowledge_base_agent.deployment import Deployment

_TELL_SECONDS = 6.0
_COLUMNS = (
    Column(key="worker", label="Worker"),
    Column(key="sets_aside", label="Sets it aside now"),
    Column(key="said", label="What it said"),
)
_JOINERS = Note(
    text="A worker that starts reads this for itself where its app heeds it (ours does); any other is told by the "
    "bot within seconds, and by nobody while no bot runs."
)
THE_LINE = "import knowledge_base_agent.fleet.worker_commands"
"""What a foreign app needs, where it is made, for its workers to know our commands."""


def pause_task(
    deployment: "Deployment", task: str, end: datetime | None, now: datetime, view: FleetView
) -> Report:
    """Pause a task. Raises `Misunderstood` where messages can't be set aside: RabbitMQ, or no worker that can."""
    _check(deployment, task, view)
    # Kept before anyone is told: a worker that joins in between is told by the keeper.
    with writing(deployment.engine) as connection:
        pause = begin_task_pause(connection, task, at=now, by=who_acts(), until=end)
    cannot = unable(view)
    nodes = [name for name in deployment.fleet.tellable(view) if name not in cannot]
    deadline = Deadline.after(_TELL_SECONDS)
    outcome = change_task(deployment.fleet, deadline, task, nodes, pause=True) if nodes else None
    return _report(pause, outcome, view, now)


def _check(deployment: "Deployment", task: str, view: FleetView) -> None:
    queue = queue_of(deployment, task)
    instead = f"Pause its queue with `pause {plain(queue, 80)}`, which stops every task in it"
    if not deployment.fleet.parking.possible:
        raise Misunderstood(
            "A single task can be paused on Redis alone: on RabbitMQ a worker can't set a message aside as it is.",
            f"{instead}.",
            suggestion=shlex.join(["pause", queue]),
        )
    cannot = unable(view)
    if cannot and all(one.ours is False or one.paused is None for one in view.workers):
        names = ", ".join(plain(one, 80) for one in cannot[:5])
        raise Misunderstood(
            f"No worker can set a single task aside: {names} don't know our commands.",
            f"{instead}; or add `{THE_LINE}` where the app is made, and restart its workers.",
            suggestion=shlex.join(["pause", queue]),
        )


def _report(
    pause: TaskPause, outcome: SettingAside | None, view: FleetView, now: datetime
) -> Report:
    name = plain(pause.task, 80)
    cannot = unable(view)
    parts: list[Part] = [aside_table(outcome)] if outcome else []
    parts += [*_cannot(cannot), *_held(pause.task, view)]
    parts += [_JOINERS, *headcount_notes(view)]
    done = (outcome is None or outcome.verified) and not cannot
    seen = "no worker is there to be told"
    if outcome:
        workers = counted(len(outcome.nodes), "worker")
        seen = f"{len(outcome.as_wanted)} of {workers} seen to set it aside"
    return Report(
        title=f"Paused {name}" if done else f"Pause {name}: not all workers",
        text=f"Task {name} is paused {until(pause.until, now)}; {seen} ({headcount(view)}). What is sent is kept, in "
        "order; other tasks go on.",
        parts=tuple(parts),
        tone=Tone.GOOD if done and outcome else Tone.WARNING,
        actions=(Action(label="Resume", words=shlex.join(["resume", pause.task])),),
        succeeded=done,
        taken_at=utc_now(),
        data={"task": pause.task, "set_aside_by": list(outcome.as_wanted) if outcome else []},
    )


def aside_table(outcome: SettingAside) -> Table:
    """Return a row for each worker that was told."""
    rows = tuple(
        Row(
            cells=(
                plain(one.worker, 80),
                None if one.sets_aside is None else "yes" if one.sets_aside else "no",
                plain(one.said, 200),
            ),
            tone=Tone.NEUTRAL if one.sets_aside is outcome.wanted else Tone.WARNING,
        )
        for one in outcome.nodes
    )
    return Table(caption="Workers", columns=_COLUMNS, rows=rows, total=len(rows))


def _cannot(cannot: tuple[str, ...]) -> tuple[Note, ...]:
    if not cannot:
        return ()
    names = ", ".join(plain(one, 80) for one in cannot)
    text = (
        f"These go on running it, for they don't know our commands: {names}. Add `{THE_LINE}` where their app is made, "
        "and restart them."
    )
    return (Note(text=text, tone=Tone.BAD),)


def _held(task: str, view: FleetView) -> tuple[Note, ...]:
    held = dict.fromkeys(Place, 0)
    for one in view.held:
        held[one.place] += one.name == task
    if not any(held.values()):
        return ()
    text = (
        f"With workers already, and going on: {held[Place.ACTIVE]:,} running, {held[Place.RESERVED]:,} taken in "
        f"advance, {held[Place.SCHEDULED]:,} waiting for their time, as far as they list them."
    )
    return (Note(text=text, tone=Tone.WARNING),)
