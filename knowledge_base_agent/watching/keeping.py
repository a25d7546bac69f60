"""From what a check found to rows: alerts open, change, wake and resolve, in one transaction."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from sqlalchemy import Connection

from knowledge_base_agent.actors import Actor, Surface
from knowledge_base_agent.audit import Kind as Happened
from knowledge_base_agent.audit import entry_of, write
from knowledge_base_agent.fleet.views import FleetView
from knowledge_base_agent.problems import Misunderstood
from knowledge_base_agent.records.alerts import (
    Alert,
    Offer,
    Opening,
    State,
    open_alert,
    resolve,
    say_anew,
    wake,
)
from knowledge_base_agent.understand import understand
from knowledge_base_agent.watching.reading import Reading, Rows
from knowledge_base_agent.watching.trouble import TASK_KINDS, Kind, Trouble
from knowledge_base_agent.watching.troubles import Found

WATCHER = Actor(id="watcher", name="the watcher", surface=Surface.SCHEDULE)
ABSENT_CHECKS = 2
"""What flutters is resolved only when it is missing this many checks in a row; a task that ended does not flutter."""
_PAUSES = {State.OPEN: timedelta(seconds=60), State.ACKNOWLEDGED: timedelta(minutes=5)}
"""How often a message follows figures that merely grow; a snoozed one does not."""
_OUTCOMES = {
    Kind.TOO_LONG: "It does not run any more.",
    Kind.PAST_LIMIT: "It does not run any more.",
    Kind.ORPHANED: "Its row says no longer that it runs.",
    Kind.QUEUE_DEEP: "The queue is short again.",
    Kind.QUEUE_UNTAKEN: "A worker takes from it again, or it is empty.",
    Kind.REDELIVERY: "The message was acknowledged, or given out again.",
    Kind.WORKER_MEMORY: "It uses less than the threshold again.",
    Kind.WORKER_IDLE: "It takes messages again, or none wait.",
    Kind.REDIS_MEMORY: "It uses less than the threshold again.",
    Kind.REDIS_EVICTS: "No key was dropped any more.",
    Kind.BEAT_SILENT: "Beat gives its sign again.",
    Kind.AWAY: "It answers again.",
}


def opening_of(trouble: Trouble) -> Opening:
    """Return what an alert says, with those of the buttons that there are operations for."""
    offers: dict[str, Offer] = {}
    for offer in trouble.offers:
        if offer.label not in offers and _understood(offer.words):
            offers[offer.label] = offer
    return Opening(
        key=trouble.key,
        kind=trouble.kind,
        subject=trouble.subject,
        severity=trouble.severity,
        title=trouble.title,
        sentence=trouble.sentence,
        figures=trouble.figures,
        actions=tuple(offers.values()),
    )


def _understood(words: str) -> bool:
    try:
        understand(words)
    except Misunderstood:
        return False
    return True


def keep(
    connection: Connection,
    reading: Reading,
    found: Found,
    alerts: tuple[Alert, ...],
    absent: Mapping[str, int],
) -> dict[str, int]:
    """Write what changed since the last check. `absent`: at how many checks in a row an alert's trouble was missing.

    Returns that count for the next check.
    """
    now = reading.taken_at
    known = {alert.key: alert for alert in alerts}
    for trouble in found.troubles:
        opening = opening_of(trouble)
        alert = known.pop(trouble.key, None)
        if alert is None:
            if open_alert(connection, opening, now):
                _note(connection, Happened.ALERTED, opening.key, trouble.sentence)
        else:
            _go_on(connection, alert, opening, now)
    return _end(connection, reading, found, known.values(), absent)


def _end(
    connection: Connection,
    reading: Reading,
    found: Found,
    unseen: Iterable[Alert],
    absent: Mapping[str, int],
) -> dict[str, int]:
    """Resolve alerts whose trouble is not seen any more, unless that means nothing this time."""
    missing: dict[str, int] = {}
    for alert in unseen:
        ended = isinstance(reading.rows, Rows) and alert.subject in reading.rows.ended
        if alert.kind in found.unjudged and not (alert.kind in TASK_KINDS and ended):
            continue
        missing[alert.key] = absent.get(alert.key, 0) + 1
        if alert.kind in TASK_KINDS or missing[alert.key] >= ABSENT_CHECKS:
            outcome = outcome_of(alert, reading)
            if resolve(connection, alert, reading.taken_at, outcome):
                _note(connection, Happened.RESOLVED, alert.key, f"{alert.title}: {outcome}")
    return missing


def _go_on(connection: Connection, alert: Alert, opening: Opening, now: datetime) -> None:
    if alert.state is State.SNOOZED:
        if alert.snoozed_until is not None and alert.snoozed_until <= now:
            wake(connection, alert, now)
        return
    before = (alert.severity, alert.title, alert.actions)
    graver = before != (opening.severity, opening.title, opening.actions)
    due = now - alert.updated_at >= _PAUSES[alert.state]
    if graver or (due and opening.sentence != alert.sentence):
        say_anew(connection, alert, opening, now)


def outcome_of(alert: Alert, reading: Reading) -> str:
    """Say how a trouble ended, as far as this reading shows."""
    if alert.kind in TASK_KINDS and isinstance(reading.rows, Rows):
        state = reading.rows.ended.get(alert.subject)
        if state is not None:
            return f"The task ended: {state}."
        if alert.kind == Kind.ORPHANED and alert.subject in reading.rows.sent_again:
            return f"It was sent again, as {reading.rows.sent_again[alert.subject]}."
    if alert.kind == Kind.WORKER_GONE:
        answers = isinstance(reading.fleet, FleetView) and any(
            worker.name == alert.subject for worker in reading.fleet.workers
        )
        return "It answers again." if answers else "It did not come back and is no longer expected."
    return _OUTCOMES.get(Kind(alert.kind), "It is not seen any more.")


def _note(connection: Connection, kind: Happened, key: str, detail: str) -> None:
    write(connection, entry_of(WATCHER, kind, "alerts", words=key, detail=detail))
