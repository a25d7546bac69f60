"""The banner: whatever is paused is said wherever someone may wonder why nothing moves."""

import shlex
from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from knowledge_base_agent.clock import utc_now
from knowledge_base_agent.fleet.deadline import Deadline, within
from knowledge_base_agent.problems import Away
from knowledge_base_agent.records.database import reading
from knowledge_base_agent.records.pauses import Pause, all_pauses
from knowledge_base_agent.records.task_pauses import TaskPause, all_task_pauses
from knowledge_base_agent.redaction import plain
from knowledge_base_agent.report import Action, Note, Tone
from knowledge_base_agent.wording import duration

if TYPE_CHECKING:
    from knowledge_base_agent.deployment import Deployment

_SECONDS = 0.6


def pause_banner(deployment: "Deployment") -> tuple[tuple[Note, ...], tuple[Action, ...]]:
    """Return a note and a button for all that is paused. Without the database that is unknown, and said."""
    try:
        found = within(Deadline.after(_SECONDS), lambda: _read(deployment), source="the database")
    except Away as problem:
        text = f"Whether a queue is paused is unknown. {problem.what}"
        return (Note(text=text, tone=Tone.WARNING),), ()
    now = utc_now()
    queues, tasks = found
    notes = [Note(text=_said(one, now), tone=Tone.WARNING) for one in queues]
    if tasks:
        aside = _aside(deployment)
        notes += [Note(text=_said_of(one, now, aside), tone=Tone.WARNING) for one in tasks]
    lasting = [one.queue for one in queues if one.lasts] + [one.task for one in tasks if one.lasts]
    actions = [
        Action(label=f"Resume {plain(one, 40)}", words=shlex.join(["resume", one]))
        for one in lasting
    ]
    return tuple(notes), tuple(actions)


def _read(deployment: "Deployment") -> tuple[tuple[Pause, ...], tuple[TaskPause, ...]]:
    with reading(deployment.engine, apart=True) as connection:
        return all_pauses(connection), all_task_pauses(connection)


def _aside(deployment: "Deployment") -> Mapping[str, int] | None:
    """Return how many messages are set aside, by task; None where the broker does not tell."""
    try:
        counts = deployment.fleet.parking.counts(Deadline.after(_SECONDS))
    except Away:
        return None
    found: Counter[str] = Counter()
    for one in counts:
        found[one.task] += one.count
    return found


def _said_of(pause: TaskPause, now: datetime, aside: Mapping[str, int] | None) -> str:
    name = plain(pause.task, 80)
    number = "an unknown number" if aside is None else f"{aside.get(pause.task, 0):,}"
    if pause.lasts:
        ago = duration(max(now - pause.at, now - now))
        return (
            f"PAUSED: task {name}, by {plain(pause.by, 60)}, for {ago} now, {until(pause.until, now)}. Set aside so "
            f"far: {number}."
        )
    return f"Task {name} is resumed. Still set aside, and going back: {number}."


def until(pause_end: datetime | None, now: datetime) -> str:
    """Return how long a pause lasts, in words."""
    if pause_end is None:
        return "until someone resumes it"
    left = f"for {duration(pause_end - now)} more" if pause_end > now else "about to end"
    return f"until {pause_end:%Y-%m-%d %H:%M:%S} UTC, {left}"


def _said(pause: Pause, now: datetime) -> str:
    name = plain(pause.queue, 80)
    if pause.lasts:
        ago = duration(max(now - pause.at, now - now))
        return (
            f"PAUSED: queue {name}, by {plain(pause.by, 60)}, for {ago} now, {until(pause.until, now)}. What is sent "
            "to it waits."
        )
    missing = ", ".join(plain(one, 80) for one in pause.workers)
    return f"Queue {name} is resumed, and not yet taken from by: {missing}."
