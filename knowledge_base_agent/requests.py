"""What travels along the road: a request on the way in, a pending confirmation or an ended run on the way out."""

from datetime import datetime
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from knowledge_base_agent.actors import Actor, Surface
from knowledge_base_agent.confirmations import UNCONDITIONAL, Confirmation, Terms
from knowledge_base_agent.operations.operation import AnyOperation, Arguments, Preview
from knowledge_base_agent.operations.stated import UNSTATED, Stated
from knowledge_base_agent.problems import Problem
from knowledge_base_agent.repeats import asked_for
from knowledge_base_agent.report import Note, Report
from knowledge_base_agent.two_people import Consent

_ONLY_SHOWN = Note(text="Nothing was done: this shows what would be, and no more (`--dry-run`).")


class Asked(Struct, frozen=True, kw_only=True):
    """Who asks for which operation, in what words, and where."""

    actor: Actor
    operation: AnyOperation
    words: str
    """What was typed, after normalising; it is redacted before it is recorded."""
    place: str = ""
    """The channel it was asked in, or empty."""
    stated: Stated = UNSTATED


class Request(Asked, frozen=True, kw_only=True):
    """Somebody asks for an operation, with these arguments."""

    arguments: Arguments
    repeat: bool = False
    """They mean it, though the same was done a moment ago."""
    only_shown: bool = False
    """They want to see the preview of what destroys, and no more."""

    @property
    def asked(self) -> str:
        """What names the same operation with the same arguments."""
        return asked_for(self.operation.name, self.arguments.model_dump(mode="json"))

    def ended_by(self, preview: Preview[Any]) -> Report | None:
        """Return what to say where nothing is to be confirmed: nothing is there, or to see it is all they want.

        None where somebody has to confirm it.
        """
        report: Report = preview.report
        if self.only_shown and preview.affected != 0:
            return replace(report, parts=(*report.parts, _ONLY_SHOWN))
        return report if preview.affected == 0 or preview.only_shown else None


class Pending(Struct, frozen=True, kw_only=True):
    """A preview that waits for a person to confirm it."""

    confirmation_id: str
    operation: AnyOperation
    report: Report
    affected: int | None
    asked_by: Actor
    expires_at: datetime
    terms: Terms = UNCONDITIONAL


class Changed(Problem):
    """At the click something else would be touched than what was shown: nothing was done, and `now` is to be looked at.

    `now` is another preview with a confirmation of its own, or a report where nothing is left to be done.
    """

    def __init__(self, what: str, cure: str, now: "Pending | Report") -> None:
        super().__init__(what, cure)
        self.now = now


class Claimed(Struct, frozen=True, kw_only=True):
    """A confirmation that was won by exactly one claim, and whose run is recorded as started."""

    run_id: str
    operation: AnyOperation
    target_json: str
    confirmed_by: Actor
    confirmed_at: datetime
    went: tuple[str, ...] = ()
    """What was shown and was no longer there at the click, as sentences without a full stop."""
    consent: Consent = Consent.CONFIRMED
    asked_by: str = ""
    """The name of who asked."""
    reason: str = ""


class Ended(Struct, frozen=True, kw_only=True):
    """A run that ended, and what came of it."""

    run_id: str
    report: Report
    ended_at: datetime


class Settled(Struct, frozen=True, kw_only=True):
    """A confirmation that will not run: cancelled or expired. `place` and `message` are where its preview stands."""

    confirmation_id: str
    operation_name: str
    words: str
    """What was asked for, redacted."""
    state: str
    by_name: str
    at: datetime
    place: str
    message: str


def asked_as(found: Confirmation, operation: AnyOperation) -> "Asked":
    """Return who asked for what a confirmation is about, as they asked for it."""
    actor = Actor(id=found.asked_by, name=found.asked_by_name, surface=Surface(found.surface))
    return Asked(actor=actor, operation=operation, words=found.words, place=found.place)


def pending_of(kept: Confirmation, request: "Asked", preview: Preview[Any]) -> Pending:
    """Return a preview that was kept, as a front shows it."""
    return Pending(
        confirmation_id=kept.id,
        operation=request.operation,
        report=preview.report,
        affected=preview.affected,
        asked_by=request.actor,
        expires_at=kept.expires_at,
    )


def settled_of(found: Confirmation) -> Settled:
    """Return what a front needs to know of a confirmation that will not run."""
    return Settled(
        confirmation_id=found.id,
        operation_name=found.operation,
        words=found.words,
        state=found.state.value,
        by_name=found.settled_by_name or "",
        at=found.settled_at or found.expires_at,
        place=found.place,
        message=found.message,
    )
