"""What travels along the road: a request on the way in, a pending confirmation or an ended run on the way out."""

from dataclasses import dataclass
from datetime import datetime

from knowledge_base_agent.actors import Actor
from knowledge_base_agent.confirmations import Confirmation
from knowledge_base_agent.operations.operation import AnyOperation, Arguments
from knowledge_base_agent.report import Report


@dataclass(frozen=True, kw_only=True)
class Request:
    """Somebody asks for an operation."""

    actor: Actor
    operation: AnyOperation
    arguments: Arguments
    words: str
    """What was typed, after normalising; it is redacted before it is recorded."""
    place: str = ""
    """The channel it was asked in, or empty."""


@dataclass(frozen=True, kw_only=True)
class Pending:
    """A preview that waits for a person to confirm it."""

    confirmation_id: str
    operation: AnyOperation
    report: Report
    affected: int | None
    asked_by: Actor
    expires_at: datetime


@dataclass(frozen=True, kw_only=True)
class Claimed:
    """A confirmation that was won by exactly one claim, and whose run is recorded as started."""

    run_id: str
    operation: AnyOperation
    target_json: str
    confirmed_by: Actor
    confirmed_at: datetime


@dataclass(frozen=True, kw_only=True)
class Ended:
    """A run that ended, and what came of it."""

    run_id: str
    report: Report
    ended_at: datetime


@dataclass(frozen=True, kw_only=True)
class Settled:
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
