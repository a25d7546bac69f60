"""A question to the workers, what came back for it, and what is known of those who did not answer."""

import time
import uuid
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from msgspec import Struct

from knowledge_base_agent.fleet.absent import Missing
from knowledge_base_agent.fleet.worker_words import ENROLLED


class Question(Struct, frozen=True, kw_only=True):
    """One control command, to every worker or to those named."""

    command: str
    arguments: Mapping[str, object] = {}
    destination: tuple[str, ...] | None = None
    reads: bool = True
    """False for whatever changes something: it is never sent a second time by itself."""


class Reply(Struct, frozen=True, kw_only=True):
    """What one worker said, as it said it. Two workers of one name give two of these."""

    worker: str
    body: Any
    after: float
    """Seconds from the question to this reply."""


@dataclass(kw_only=True)
class Asked:
    """A question that is on its way: what came back so far."""

    question: Question
    ticket: str = field(default_factory=lambda: str(uuid.uuid4()))
    sent: float = 0.0
    """On the monotonic clock; 0 until it is."""
    sent_at: datetime | None = None
    """Aware UTC."""
    receivers: int | None = None
    enrolled: int | None = None
    """How many workers RabbitMQ counted when this was sent, of those that let it: never all, for sure."""
    replies: list[Reply] = field(default_factory=list)
    missing: Missing | None = None
    unreadable: int = 0

    @property
    def outstanding(self) -> int:
        """Return how many replies are still to come of those that everyone owes; 0 where the broker can't tell."""
        owed = self.enrolled if self.receivers is None else self.receivers
        if self.question.destination is not None or owed is None:
            return 0
        return max(owed - len(self.replies), 0)

    def all_enrolled_answered(self, present: frozenset[str]) -> bool:
        """Tell whether all who are counted on RabbitMQ have answered, and all of `present`, who are all of that kind.

        The first question of a process can't tell that: nobody is present yet, so it hears who else there is.
        """
        if not self.enrolled or len(self.replies) < self.enrolled or not present <= self.names():
            return False
        return bool(present) and all(_is_enrolled(reply.body) for reply in self.replies)

    def names(self) -> frozenset[str]:
        """Return who answered."""
        return frozenset(reply.worker for reply in self.replies)

    def counts(self) -> Counter[str]:
        """Return how many replies came by each name."""
        return Counter(reply.worker for reply in self.replies)

    def quiet_for(self, seconds: float) -> bool:
        """Tell whether this long has passed since the last reply, or since the question."""
        last = self.replies[-1].after if self.replies else 0.0
        return time.monotonic() - self.sent - last >= seconds

    def again(self) -> None:
        """Make ready to be sent once more, with a ticket that no old reply carries."""
        self.ticket = str(uuid.uuid4())
        self.sent = 0.0
        self.receivers = None
        self.enrolled = None
        self.replies = []


class Answers(Struct, frozen=True, kw_only=True):
    """What came back for one question. `receivers` and what hangs on it is None where the broker can't tell."""

    question: Question
    sent_at: datetime
    """Aware UTC, by our clock."""
    took: timedelta
    receivers: int | None
    """How many workers received the question, foreign ones included; exact on Redis."""
    why_unknown: str | None
    """Why `receivers` is None."""
    replies: tuple[Reply, ...]
    silent: tuple[str, ...]
    """Who received it and did not answer, by name."""
    unnamed: int | None
    """How many more did so whose names are not known."""
    duplicates: tuple[str, ...]
    """Names that more than one worker answered by: give each its own."""
    unreadable: int = 0
    """Replies that are broken, or in a form that is never decoded (pickle)."""
    interrupted: str | None = None
    """Why a command is unconfirmed: it was sent, or may have been, and may still take effect."""

    @property
    def answered(self) -> int:
        """Return how many replies came."""
        return len(self.replies)

    @property
    def complete(self) -> bool | None:
        """Return whether everyone who was asked answered; None where that can't be told."""
        if self.interrupted or self.silent or self.unnamed:
            return False
        return None if self.receivers is None and self.question.destination is None else True


def _is_enrolled(said: object) -> bool:
    return isinstance(said, dict) and said.get(ENROLLED) is True
