"""Alerts as their rows give them, to draw."""

from dataclasses import replace
from datetime import timedelta

from knowledge_base_agent.records.alerts import Alert, Offer, State
from tests.bot.samples import NOW

OPEN = Alert(
    number=17,
    key="task-too-long:t1",
    kind="task-too-long",
    subject="t1",
    severity="warning",
    title="A task runs too long",
    sentence="fetch <!channel> has been running for 4 h 3 min on w1@`host`, longer than 4 h. Id: t1.",
    figures={"running_seconds": 14580},
    actions=(
        Offer(label="Revoke", words="revoke t1 --terminate", danger=True),
        Offer(label="Logs", words="logs t1"),
    ),
    state=State.OPEN,
    opened_at=NOW - timedelta(minutes=3),
    updated_at=NOW,
    resolved_at=None,
    outcome="",
    acknowledged_by=None,
    acknowledged_by_name=None,
    acknowledged_at=None,
    snoozed_until=None,
    snoozed_by_name=None,
    reminder_due=False,
    revision=1,
    shown_revision=0,
    channel="",
    message="",
    posting_since=None,
)
TAKEN = replace(
    OPEN,
    state=State.ACKNOWLEDGED,
    acknowledged_by="otto",
    acknowledged_by_name="*otto*",
    acknowledged_at=NOW,
)
SNOOZED = replace(
    OPEN, state=State.SNOOZED, snoozed_until=NOW + timedelta(hours=1), snoozed_by_name="vera"
)
RESOLVED = replace(
    TAKEN, state=State.RESOLVED, resolved_at=NOW, outcome="The task ended: REVOKED.", severity="bad"
)
