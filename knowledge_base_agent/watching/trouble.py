"""What a trouble is: one kind, one subject, what is said of it, and what can be done about it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from knowledge_base_agent.records.alerts import Figures, Offer


class Kind(StrEnum):
    """What is wrong; the first half of an alert's key."""

    TOO_LONG = "task-too-long"
    PAST_LIMIT = "task-past-limit"
    ORPHANED = "task-orphaned"
    QUEUE_DEEP = "queue-deep"
    QUEUE_UNTAKEN = "queue-untaken"
    REDELIVERY = "redelivery-near"
    WORKER_MEMORY = "worker-memory"
    WORKER_GONE = "worker-gone"
    WORKER_IDLE = "worker-takes-nothing"
    REDIS_MEMORY = "redis-memory"
    REDIS_EVICTS = "redis-evicts"
    BEAT_SILENT = "beat-silent"
    AWAY = "away"


TASK_KINDS = frozenset({Kind.TOO_LONG, Kind.PAST_LIMIT, Kind.ORPHANED})
QUEUE_KINDS = frozenset({Kind.QUEUE_DEEP, Kind.QUEUE_UNTAKEN, Kind.REDELIVERY})
WORKER_KINDS = frozenset({Kind.WORKER_MEMORY, Kind.WORKER_GONE, Kind.WORKER_IDLE})


class Severity(StrEnum):
    """How grave it is: BAD is losing work or will soon, WARNING may."""

    WARNING = "warning"
    BAD = "bad"


def key_of(kind: str, subject: str) -> str:
    """Return what stays the same for as long as it is the same trouble."""
    return f"{kind}:{subject}"


@dataclass(frozen=True, kw_only=True)
class Trouble:
    """One trouble as one reading shows it. Texts are not redacted yet."""

    kind: Kind
    subject: str
    severity: Severity
    title: str
    sentence: str
    figures: Figures = field(default_factory=dict)
    offers: tuple[Offer, ...] = ()
    """Candidates: those whose words no operation understands are left out of the alert."""
    checks: int = 1
    """At how many checks in a row it must be seen before it is told."""

    @property
    def key(self) -> str:
        """Its key: see `key_of`."""
        return key_of(self.kind, self.subject)


@dataclass(frozen=True, kw_only=True)
class Part:
    """What one look at one side of a reading found, and what it could not judge."""

    troubles: tuple[Trouble, ...] = ()
    unjudged: frozenset[Kind] = frozenset()
    """Kinds whose absence means nothing this time: their open alerts stay as they are."""


@dataclass(frozen=True, kw_only=True)
class Open:
    """An unresolved alert, as far as judging needs to know it."""

    kind: str
    subject: str
    age_seconds: float


Counts = Mapping[str, int]
