"""What one check leaves to the next: streaks, and the figures that only mean something compared. Pure, in memory.

After a restart the streaks begin anew, so a trouble may be told a check later; nothing is told twice, since what was
told is in the database.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, kw_only=True)
class Sight:
    """One worker as it was seen last."""

    at: datetime
    held: int
    """How many tasks it had."""
    processed: int | None
    waiting: Mapping[str, int]
    """Ready messages of the queues it consumes."""
    idle_checks: int = 0
    """For how many checks in a row it took nothing while messages waited and did not get fewer."""


@dataclass(frozen=True, kw_only=True)
class Evicted:
    """A Redis' count of evicted keys, and when it last rose (None: not since this process watches)."""

    keys: int
    rose_at: datetime | None = None
    by: int = 0


@dataclass(frozen=True, kw_only=True)
class Recollection:
    """Everything that is remembered from one check to the next."""

    seen: Mapping[str, int] = field(default_factory=dict)
    """By key: at how many checks in a row a trouble was seen."""
    workers: Mapping[str, Sight] = field(default_factory=dict)
    evicted: Mapping[str, Evicted] = field(default_factory=dict)
    """By what the Redis is used for."""
