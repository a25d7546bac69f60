"""Alerts as rows: one a trouble, from its opening to its resolution, whoever watches and however often bots restart.

The partial unique index on the key of what is unresolved is what everything rests on: a second opening of the same
trouble changes nothing. `revision` counts what people should see change; the channel follows `shown_revision`.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Connection, RowMapping, select, update

from knowledge_base_agent.problems import NotFound
from knowledge_base_agent.records.alerts_tables import ALERTS
from knowledge_base_agent.records.upserts import insert_into
from knowledge_base_agent.redaction import plain

Figures = Mapping[str, float | int | str | None]
_KEY_LIMIT = 300
_SUBJECT_LIMIT = 255


class State(StrEnum):
    """Where an alert stands. RESOLVED is the only one that is not followed by another."""

    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    SNOOZED = "snoozed"
    RESOLVED = "resolved"


@dataclass(frozen=True, kw_only=True)
class Offer:
    """A button of an alert: words that go the same road as if a person had typed them."""

    label: str
    words: str
    danger: bool = False


@dataclass(frozen=True, kw_only=True)
class Opening:
    """What an alert says at one moment; `key` is the same for the same trouble."""

    key: str
    kind: str
    subject: str
    severity: str
    title: str
    sentence: str
    figures: Figures
    actions: tuple[Offer, ...]


@dataclass(frozen=True, kw_only=True)
class Alert:
    """One alert's row. Times are aware UTC."""

    number: int
    key: str
    kind: str
    subject: str
    severity: str
    title: str
    sentence: str
    figures: Figures
    actions: tuple[Offer, ...]
    state: State
    opened_at: datetime
    updated_at: datetime
    resolved_at: datetime | None
    outcome: str
    acknowledged_by: str | None
    acknowledged_by_name: str | None
    acknowledged_at: datetime | None
    snoozed_until: datetime | None
    snoozed_by_name: str | None
    reminder_due: bool
    revision: int
    shown_revision: int
    channel: str
    message: str
    posting_since: datetime | None

    @property
    def id(self) -> str:
        """Its name among people: `al-17`, short enough to say aloud."""
        return f"al-{self.number}"


_COLUMNS = tuple(ALERTS.c[field.name] for field in fields(Alert))


def alert_of(row: RowMapping) -> Alert:
    """Return the alert that a row holds."""
    values: dict[str, Any] = dict(row)
    offers = (Offer(label=a, words=b, danger=c) for a, b, c in json.loads(values["actions"]))
    values |= {
        "state": State(values["state"]),
        "figures": json.loads(values["figures"]),
        "actions": tuple(offers),
    }
    return Alert(**values)


def unresolved(connection: Connection) -> tuple[Alert, ...]:
    """Return every alert that is not resolved, the oldest first."""
    return _found(connection, ALERTS.c.resolved_at.is_(None))


def newly_resolved(connection: Connection, since: datetime) -> tuple[Alert, ...]:
    """Return those that were resolved since then (aware UTC), the oldest first."""
    return _found(connection, ALERTS.c.resolved_at >= since)


def _found(connection: Connection, where: ColumnElement[bool]) -> tuple[Alert, ...]:
    rows = connection.execute(select(*_COLUMNS).where(where).order_by(ALERTS.c.number)).mappings()
    return tuple(alert_of(row) for row in rows)


def alert_named(connection: Connection, name: str) -> Alert:
    """Return the alert that is called `al-17`, or the unresolved one of this key. Raises `NotFound`."""
    head, _, tail = name.partition("-")
    if head == "al" and tail.isascii() and tail.isdigit() and len(tail) <= 15:
        found = _found(connection, ALERTS.c.number == int(tail))
    else:
        found = _found(connection, (ALERTS.c.key == name) & ALERTS.c.resolved_at.is_(None))
    if not found:
        raise NotFound(f"There is no alert “{plain(name, 80)}”.", "`/kb alerts` lists them.")
    return found[0]


def open_alert(connection: Connection, opening: Opening, at: datetime) -> bool:
    """Write a new alert; False if the same trouble has an unresolved one already."""
    values = _said(opening) | {
        "key": opening.key[:_KEY_LIMIT],
        "kind": opening.kind,
        "subject": opening.subject[:_SUBJECT_LIMIT],
        "state": State.OPEN.value,
        "opened_at": at,
        "updated_at": at,
        "outcome": "",
        "revision": 1,
        "shown_revision": 0,
        "channel": "",
        "message": "",
    }
    insert = insert_into(connection, ALERTS).values(values).on_conflict_do_nothing()
    return connection.execute(insert.returning(ALERTS.c.number)).first() is not None


def say_anew(connection: Connection, alert: Alert, opening: Opening, at: datetime) -> None:
    """Replace what an unresolved alert says; its message follows."""
    changed = _said(opening) | {"updated_at": at}
    connection.execute(_of(alert).values(**changed, revision=ALERTS.c.revision + 1))


def resolve(connection: Connection, alert: Alert, at: datetime, outcome: str) -> bool:
    """End an alert; False if it had ended already."""
    ended = {"state": State.RESOLVED.value, "resolved_at": at, "updated_at": at}
    ended |= {"outcome": plain(outcome, 300), "reminder_due": False}
    done = connection.execute(_of(alert).values(**ended, revision=ALERTS.c.revision + 1))
    return done.rowcount == 1


def wake(connection: Connection, alert: Alert, at: datetime) -> None:
    """End a snooze: the trouble is still there, and its message says so in its thread too."""
    state = State.ACKNOWLEDGED if alert.acknowledged_by else State.OPEN
    values = {"state": state.value, "snoozed_until": None, "updated_at": at, "reminder_due": True}
    mine = _of(alert).where(ALERTS.c.state == State.SNOOZED.value)
    connection.execute(mine.values(**values, revision=ALERTS.c.revision + 1))


def acknowledge(connection: Connection, alert: Alert, who: str, name: str, at: datetime) -> bool:
    """Record who has taken an alert on; False if it was taken on, or resolved, before."""
    values = {"acknowledged_by": who[:128], "acknowledged_by_name": plain(name, 200)}
    values |= {"state": State.ACKNOWLEDGED.value}
    mine = _of(alert).where(ALERTS.c.acknowledged_by.is_(None))
    taken = connection.execute(
        mine.values(**values, acknowledged_at=at, snoozed_until=None, revision=_NEXT)
    )
    return taken.rowcount == 1


def snooze(connection: Connection, alert: Alert, name: str, until: datetime) -> bool:
    """Keep an alert quiet until then (aware UTC); False if it is resolved."""
    values = {"state": State.SNOOZED.value, "snoozed_by_name": plain(name, 200)}
    mine = _of(alert).values(**values, snoozed_until=until, reminder_due=False, revision=_NEXT)
    return connection.execute(mine).rowcount == 1


_NEXT = ALERTS.c.revision + 1


def _of(alert: Alert) -> Any:
    return (
        update(ALERTS).where(ALERTS.c.number == alert.number).where(ALERTS.c.resolved_at.is_(None))
    )


def _said(opening: Opening) -> dict[str, object]:
    offers = [[one.label, one.words, one.danger] for one in opening.actions]
    return {
        "severity": opening.severity,
        "title": plain(opening.title, 150),
        "sentence": plain(opening.sentence, 1000),
        "figures": json.dumps(dict(opening.figures)),
        "actions": json.dumps(offers),
    }
