"""What `doctor` and `stats` say of the audit: can it be written, and what waits for its channel?"""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from knowledge_base_agent.audit_outbox import Backlog, backlog
from knowledge_base_agent.clock import utc_now
from knowledge_base_agent.operations.doctor_findings import Finding, bad, fine, warning
from knowledge_base_agent.problems import Lost
from knowledge_base_agent.records.database import reading
from knowledge_base_agent.report import Note, Tone
from knowledge_base_agent.wording import counted, worded

if TYPE_CHECKING:
    from knowledge_base_agent.deployment import Deployment

LATE = timedelta(minutes=1)
"""Entries are posted within seconds, unless something is wrong."""
_CHECK = "The audit channel has its entries"
_CURE = (
    "See that the channel is there, that the bot is in it (`/invite`) and runs; its log says what Slack said. "
    "No entry is lost: they are posted once Slack takes them."
)


def writable_finding(lost: Lost | None) -> Finding:
    """Judge whether an entry can be written: where none can, every change is refused."""
    check = "The audit can be written"
    return (
        bad(check, lost.what, lost.cure)
        if lost is not None
        else fine(check, "its head row is there")
    )


def waiting_finding(found: Backlog, channel: str | None, now: datetime) -> Finding:
    """Judge what waits for the channel that the settings name."""
    if not channel:
        cure = "Set KB_AUDIT_CHANNEL: what stands there shows a database that was written anew."
        return warning(_CHECK, "no channel is set: the audit is in the database alone", cure)
    if _late(found, now):
        return bad(_CHECK, _said(found), _CURE)
    return fine(_CHECK, f"{counted(found.waiting, 'entry', 'entries')} on the way")


def waiting_notes(deployment: "Deployment") -> tuple[Note, ...]:
    """Return a warning where entries have waited for too long. Raises `Away`."""
    if not deployment.settings.audit_channel:
        return ()
    with reading(deployment.engine, apart=True) as connection:
        found = backlog(connection)
    if not _late(found, utc_now()):
        return ()
    return (Note(text=f"The audit channel: {_said(found)}. {_CURE}", tone=Tone.WARNING),)


def _late(found: Backlog, now: datetime) -> bool:
    return found.since is not None and now - found.since > LATE


def _said(found: Backlog) -> str:
    verb = "waits" if found.waiting == 1 else "wait"
    return f"{counted(found.waiting, 'entry', 'entries')} {verb} since {worded(found.since)}"
