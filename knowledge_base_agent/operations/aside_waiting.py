"""What `doctor` and `stats` say of what is held aside for an undo."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from knowledge_base_agent.operations.doctor_findings import Finding, fine, warning
from knowledge_base_agent.records.database import reading
from knowledge_base_agent.records.keepsakes import Held, held
from knowledge_base_agent.report import Note
from knowledge_base_agent.wording import counted, duration, size

if TYPE_CHECKING:
    from knowledge_base_agent.deployment import Deployment

LATE = timedelta(hours=1)
"""The bot frees once a minute what can't be undone any more."""
_CHECK = "What is aside for an undo is freed in time"


def aside_finding(found: Held, now: datetime) -> Finding:
    """Judge what is held aside."""
    if found.overdue_since is not None and now - found.overdue_since > LATE:
        late = f"something should have been freed {duration(now - found.overdue_since)} ago"
        cure = "Start the bot, which frees it; its log says so if a store does not answer."
        return warning(_CHECK, late, cure)
    return fine(_CHECK, _said(found) if found.runs else "nothing is aside")


def aside_notes(deployment: "Deployment") -> tuple[Note, ...]:
    """Return a line where something is held aside. Raises `Away`."""
    with reading(deployment.engine, apart=True) as connection:
        found = held(connection)
    return (Note(text=f"Aside for `undo`: {_said(found)}."),) if found.runs else ()


def _said(found: Held) -> str:
    memory = f", about {size(found.bytes)} of memory" if found.bytes else ""
    until = f", until {found.until:%Y-%m-%d %H:%M} UTC at most" if found.until else ""
    return f"of {counted(found.runs, 'run')}{memory}{until}"
