"""The banner: whatever is paused is said wherever someone may wonder why nothing moves."""

import shlex
from datetime import datetime
from typing import TYPE_CHECKING

from knowledge_base_agent.clock import utc_now
from knowledge_base_agent.fleet.deadline import Deadline, within
from knowledge_base_agent.problems import Away
from knowledge_base_agent.records.database import reading
from knowledge_base_agent.records.pauses import Pause, all_pauses
from knowledge_base_agent.redaction import plain
from knowledge_base_agent.report import Action, Note, Tone
from knowledge_base_agent.wording import duration

if TYPE_CHECKING:
    from knowledge_base_agent.deployment import Deployment

_SECONDS = 0.6


def pause_banner(deployment: "Deployment") -> tuple[tuple[Note, ...], tuple[Action, ...]]:
    """Return a note and a button for each queue that is paused. Without the database that is unknown, and said."""
    try:
        found = within(Deadline.after(_SECONDS), lambda: _read(deployment), source="the database")
    except Away as problem:
        text = f"Whether a queue is paused is unknown. {problem.what}"
        return (Note(text=text, tone=Tone.WARNING),), ()
    now = utc_now()
    lasting = [one for one in found if one.lasts]
    notes = [Note(text=_said(one, now), tone=Tone.WARNING) for one in found]
    actions = [
        Action(label=f"Resume {plain(one.queue, 40)}", words=shlex.join(["resume", one.queue]))
        for one in lasting
    ]
    return tuple(notes), tuple(actions)


def _read(deployment: "Deployment") -> tuple[Pause, ...]:
    with reading(deployment.engine) as connection:
        return all_pauses(connection)


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
