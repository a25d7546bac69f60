"""Who did what: one row an event, written before effects; `audit_outbox` brings them to the audit channel.

Entries about changes are written in the transaction of the change itself (`write`). Entries about mere questions go
through `Spool`, which never makes the person wait and keeps trying while the database is away.
"""

import threading
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum
from typing import TYPE_CHECKING

from sqlalchemy import Connection, Engine

from knowledge_base_agent.actors import Actor
from knowledge_base_agent.clock import utc_now
from knowledge_base_agent.confirmations import Confirmation
from knowledge_base_agent.problems import Away, Problem, Refused, Repeated
from knowledge_base_agent.process_log import lines
from knowledge_base_agent.records import audit_chain
from knowledge_base_agent.records.database import writing
from knowledge_base_agent.redaction import plain

if TYPE_CHECKING:
    from knowledge_base_agent.operations.operation import Target
    from knowledge_base_agent.requests import Asked

log = lines()
_NAMED = 10
_SPOOL_LIMIT = 10_000
_BATCH = 100
_RETRY_SECONDS = 1.0
_GATHERED_SECONDS = 0.1
"""So long after the first entry a batch is written: that a question was asked goes with its answer, and not before
it, when the person waits for it and the processor has enough to do."""


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


_UNHURRIED = frozenset({Kind.REQUESTED, Kind.ANSWERED})
"""What may wait to be written with others."""


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
    audit_chain.append(connection, [_values(entry) for entry in entries])


def _values(entry: Entry) -> dict[str, object]:
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


class Spool:
    """Writes entries about questions in the background, in order, for as long as it takes.

    Bounded: beyond 10,000 waiting entries each further one goes to the log alone, which says so.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._waiting: deque[Entry] = deque()
        self._news = threading.Condition()
        self._lost = False
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._work, name="audit-spool", daemon=True)
        self._thread.start()

    def add(self, entry: Entry) -> None:
        """Take an entry, without waiting."""
        with self._news:
            if len(self._waiting) < _SPOOL_LIMIT:
                self._waiting.append(entry)
                self._news.notify()
                return
        log.error("audit entry not kept, the database has been away too long", **_values(entry))

    def close(self, within: float = 3.0) -> bool:
        """Write what waits, for `within` seconds at most; False if some of it could not be written."""
        self._closing.set()
        with self._news:
            self._news.notify()
        self._thread.join(within)
        return not (self._thread.is_alive() or self._waiting or self._lost)

    def _work(self) -> None:
        while batch := self._next():
            self._persist(batch)

    def _next(self) -> list[Entry]:
        """Wait for entries and return them, at most a batch; none when it is closing and all are written."""
        with self._news:
            self._news.wait_for(lambda: self._waiting or self._closing.is_set())
            self._news.wait_for(self._pressing, timeout=_GATHERED_SECONDS)
            return [self._waiting.popleft() for _ in range(min(_BATCH, len(self._waiting)))]

    def _pressing(self) -> bool:
        """Tell whether what waits is to be written now: a refusal stands before what is done next."""
        enough = self._closing.is_set() or len(self._waiting) >= _BATCH
        return enough or any(entry.kind not in _UNHURRIED for entry in self._waiting)

    def _persist(self, batch: Sequence[Entry]) -> None:
        warned = False
        while True:
            try:
                with writing(self._engine) as connection:
                    write(connection, *batch)
            except Away as problem:
                if not warned:
                    log.warning("audit entries wait for the database", reason=problem.what)
                warned = True
                if self._closing.wait(_RETRY_SECONDS):
                    log.warning("audit entries lost at exit", entries=[_values(e) for e in batch])
                    self._lost = True
                    return
            else:
                return
