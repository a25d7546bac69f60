"""Who did what: one row an event, written before effects; `audit_outbox` brings them to the audit channel.

Entries about changes are written in the transaction of the change itself (`write`). Entries about mere questions go
through `audit_spool`, which never makes the person wait and keeps trying while the database is away.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum
from typing import TYPE_CHECKING

from sqlalchemy import Connection

from knowledge_base_agent.actors import Actor
from knowledge_base_agent.clock import utc_now
from knowledge_base_agent.confirmations import Confirmation
from knowledge_base_agent.problems import Problem, Refused, Repeated
from knowledge_base_agent.records import audit_chain
from knowledge_base_agent.redaction import plain

if TYPE_CHECKING:
    from knowledge_base_agent.operations.operation import Target
    from knowledge_base_agent.requests import Asked

_NAMED = 10


class Kind(Enum):
    """What happened."""

    REQUESTED = "requested"
    ANSWERED = "answered"
    SHOWN = "shown"
    """Arguments or results were shown as they are; the detail says of which tasks."""
    FAILED = "failed"
    REFUSED = "refused"
    PREVIEWED = "previewed"
    CONFIRMED = "confirmed"
    APPROVED = "approved"
    BREAKING_GLASS = "breaking glass"
    """Somebody wants to go on alone; nothing is done yet."""
    BROKE_GLASS = "broke glass"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    SUPERSEDED = "superseded"
    REPEATED = "repeated"
    TOO_LATE = "too late"
    STARTED = "started"
    ENDED = "ended"
    INTERRUPTED = "interrupted"
    ALERTED = "alerted"
    RESOLVED = "resolved"
    HEAD = audit_chain.HEAD
    OTHER = "other"
    """Written by a newer program than this one, which has no name for it."""


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One event. `at` is aware UTC; `words` and `detail` are redacted when written.

    `id` is its number in the chain and `seal` its hash there: 0 and empty until it is written.
    """

    id: int = 0
    seal: str = ""
    at: datetime
    actor_id: str
    actor_name: str
    surface: str
    kind: Kind
    operation: str
    words: str = ""
    detail: str = ""
    run_id: str | None = None
    confirmation_id: str | None = None
    place: str = ""
    tried_at: datetime | None = None
    """When it was about to be posted to the audit channel: it may stand there already."""


def entry_of(actor: Actor, kind: Kind, operation: str, *, words: str = "", **more: str) -> Entry:
    """Return an entry of this moment; `more` are the other fields of `Entry`."""
    return Entry(
        at=utc_now(),
        actor_id=actor.id,
        actor_name=actor.name,
        surface=actor.surface.value,
        kind=kind,
        operation=operation,
        words=words,
        **more,  # type: ignore[arg-type]  # the keywords are str fields of Entry
    )


def entry_about(
    request: "Asked", kind: Kind, detail: str = "", confirmation_id: str | None = None
) -> Entry:
    """Return an entry about a request."""
    entry = entry_of(request.actor, kind, request.operation.name, words=request.words)
    return replace(entry, detail=detail, confirmation_id=confirmation_id, place=request.place)


def entry_on(actor: Actor, kind: Kind, found: Confirmation, detail: str = "") -> Entry:
    """Return an entry about what an actor did, or tried to do, with a confirmation."""
    entry = entry_of(actor, kind, found.operation, words=found.words, detail=detail)
    return replace(entry, confirmation_id=found.id, run_id=found.run_id, place=found.place)


def kind_of(problem: Problem) -> Kind:
    """Return what an entry about a problem is called."""
    if isinstance(problem, Refused):
        return Kind.REFUSED
    return Kind.REPEATED if isinstance(problem, Repeated) else Kind.FAILED


def named(target: "Target") -> str:
    """Return what a preview has frozen, by name: at most ten of each kind, so that a channel can tell the tale."""
    parts = []
    for name, value in target.model_dump(mode="json").items():
        if isinstance(value, list) and value:
            more = f" and {len(value) - _NAMED} more" if len(value) > _NAMED else ""
            parts.append(f"{name}: {', '.join(map(str, value[:_NAMED]))}{more}")
        elif isinstance(value, str | bool | int) and value not in ("", False):
            parts.append(f"{name}: {value}")
    return f"[{'; '.join(parts)}]" if parts else ""


def write(connection: Connection, *entries: Entry) -> None:
    """Write entries in the caller's transaction, late in it: until it ends, nobody else can write any."""
    audit_chain.append(connection, [values_of(entry) for entry in entries])


def values_of(entry: Entry) -> dict[str, object]:
    """Return what is written of an entry: redacted, and cut to what its columns hold."""
    return {
        "at": entry.at,
        "actor_id": entry.actor_id[:128],
        "actor_name": plain(entry.actor_name, 200),
        "surface": entry.surface,
        "kind": entry.kind.value,
        "operation": entry.operation[:64],
        "words": plain(entry.words, 1000),
        "detail": plain(entry.detail, 1000),
        "run_id": entry.run_id,
        "confirmation_id": entry.confirmation_id,
        "place": entry.place[:64],
    }
