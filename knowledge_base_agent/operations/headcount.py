"""Saying who answered: unknown is neither idle nor dead, and every figure from workers carries this."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from knowledge_base_agent.clock import utc_now
from knowledge_base_agent.fleet.views import FleetView
from knowledge_base_agent.redaction import plain
from knowledge_base_agent.report import Note, Tone
from knowledge_base_agent.wording import counted, duration

_WORTH_SAYING = timedelta(seconds=10)
LOOK_SECONDS = 1.5
"""How long workers may take to answer: an answer to a person is due within 3 s."""


def headcount(view: FleetView) -> str:
    """Return the sentence part: `3 of 5 workers answered`, or that none did."""
    if view.receivers is None:
        heard = counted(view.answered, "worker")
        return f"{heard} answered, of an unknown number"
    if view.receivers == 0:
        return "no worker is listening"
    return f"{view.answered} of {counted(view.receivers, 'worker')} answered"


def headcount_notes(view: FleetView) -> Iterator[Note]:
    """Yield what the person must know about those who did not answer, and about strangers."""
    if view.receivers == 0:
        yield Note(
            text="No worker listens on the broker. Start one; what is queued waits until then.",
            tone=Tone.BAD,
        )
    if view.receivers is None and view.why_unknown:
        yield Note(text=f"How many workers there are is unknown: {view.why_unknown}")
    if view.silent or view.unnamed:
        yield Note(text=_silence(view), tone=Tone.WARNING)
    for name in view.duplicates:
        yield Note(
            text=f"Several workers are named {plain(name, 80)}: start each with a name of its own.",
            tone=Tone.WARNING,
        )
    if view.foreign:
        names = ", ".join(plain(name, 80) for name in view.foreign)
        yield Note(
            text=f"Workers of another app share this broker and hear our broadcasts: {names}.",
            tone=Tone.WARNING,
        )
    for problem in view.problems:
        yield Note(text=plain(problem, 300), tone=Tone.WARNING)


def _silence(view: FleetView) -> str:
    since = {known.name: known.silent_since for known in view.roster}
    names = [_silent(name, since.get(name)) for name in view.silent]
    if view.unnamed:
        names.append(f"{view.unnamed} not known by name")
    return (
        f"No answer from: {', '.join(names)}. What runs there is unknown: it may be busy (solo pool), frozen, "
        "or cut off."
    )


def _silent(name: str, since: datetime | None) -> str:
    shown = plain(name, 80)
    silence = utc_now() - since if since else timedelta(0)
    return f"{shown} (silent for {duration(silence)})" if silence > _WORTH_SAYING else shown
