"""What is known of a build and of its documents."""

from dataclasses import dataclass
from datetime import datetime

PHASES = ("fetch", "parse", "index", "README")
"""In order; a build is in the furthest that any document of it has reached."""
WAITING, RUNNING, DONE, FAILED = "waiting", "running", "done", "failed"


@dataclass(frozen=True, kw_only=True)
class Build:
    """A build's row. Times are aware UTC; `planned` is None until its documents have been listed."""

    id: str
    source: str
    phase: str
    planned: int | None
    started_at: datetime
    touched_at: datetime
    ended_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class Item:
    """A document of a build: its task, and what became of it. `error` is one redacted line, also of the time before."""

    build_id: str
    location: str
    heading: str
    task_id: str
    state: str
    error: str


@dataclass(frozen=True, kw_only=True)
class Counts:
    """How far a build is: its documents, those that were read (or had not changed), and those that could not be."""

    planned: int
    done: int
    failed: int
    phase: str
