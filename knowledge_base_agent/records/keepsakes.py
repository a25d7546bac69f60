"""Keepsakes as rows: what a run put aside before its effect, until when it can be brought back, and what became of it.

A keepsake is written before the effect it belongs to: one that was written and never filled is harmless, one that was
filled and never written would be lost. The rule that everything rests on is the conditional UPDATE in `claim`: of any
number of processes that bring the same thing back, one sees a row change.
"""

import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, RowMapping, and_, func, insert, or_, select, update

from knowledge_base_agent.clock import utc_now
from knowledge_base_agent.records.keepsake_tables import KEEPSAKES

GRACE = timedelta(hours=24)
"""How long a return that broke off can still be finished, after the time for beginning one is over."""


class State(StrEnum):
    """Where a keepsake stands. Only UNDOING may be followed by itself: a return that broke off is gone on with."""

    KEPT = "kept"
    UNDOING = "undoing"
    UNDONE = "undone"
    EXPIRED = "expired"


@dataclass(frozen=True, kw_only=True)
class Keepsake:
    """One thing that was put aside. Times are aware UTC."""

    id: str
    run_id: str
    kind: str
    kept: Mapping[str, Any] = field(repr=False)
    """What is needed to bring it back, frozen before the effect; values of JSON's types only."""
    number: int | None
    """How many things were put aside. None: not known, the run may have broken off."""
    bytes: int | None
    """The memory that it holds, where that is known."""
    state: State
    kept_at: datetime
    expires_at: datetime
    undone_by: str | None
    """The run that brings it back, or has."""
    freed_at: datetime | None


def new_id() -> str:
    """Return the id of a keepsake to be: it is part of names in Redis, so no other deployment may have the same."""
    return secrets.token_hex(8)


def keep(
    connection: Connection, *, keepsake_id: str, run_id: str, kind: str, kept: Mapping[str, Any],
    expires_at: datetime, number: int | None = None,
) -> None:  # fmt: skip
    """Write a keepsake. It must commit before the effect."""
    values = {
        "id": keepsake_id, "run_id": run_id, "kind": kind, "kept": json.dumps(kept),
        "number": number, "bytes": None, "state": State.KEPT.value, "kept_at": utc_now(),
        "expires_at": expires_at, "undone_by": None, "freed_at": None,
    }  # fmt: skip
    connection.execute(insert(KEEPSAKES).values(values))


def fill(connection: Connection, keepsake_id: str, *, number: int, size: int | None) -> None:
    """Write how much was put aside, after the effect: `size` in bytes, None where it is not known."""
    _change(connection, keepsake_id, number=number, bytes=size)


def drop(connection: Connection, keepsake_id: str) -> None:
    """Remove a keepsake of something that certainly did not happen."""
    connection.execute(KEEPSAKES.delete().where(KEEPSAKES.c.id == keepsake_id))


def keepsakes_of(connection: Connection, run_id: str) -> tuple[Keepsake, ...]:
    """Return what a run has put aside, the last first: the order in which it is brought back."""
    query = select(KEEPSAKES).where(KEEPSAKES.c.run_id == run_id)
    rows = connection.execute(query.order_by(KEEPSAKES.c.kept_at.desc())).mappings()
    return tuple(_keepsake(row) for row in rows)


def all_kept(connection: Connection, kind: str, now: datetime) -> tuple[Keepsake, ...]:
    """Return what of this kind is aside and can be brought back, the newest first."""
    table = KEEPSAKES.c
    query = select(KEEPSAKES).where(
        table.kind == kind, table.state == State.KEPT.value, table.expires_at > now
    )
    rows = connection.execute(query.order_by(table.kept_at.desc())).mappings()
    return tuple(map(_keepsake, rows))


def claim(connection: Connection, seen: Keepsake, by: str) -> bool:
    """Take a keepsake for the run `by`, and tell whether it was to be had.

    `seen` is KEPT, or UNDOING by a run that the caller knows to be over.
    """
    table = KEEPSAKES.c
    free = and_(table.state == State.KEPT.value, table.expires_at > utc_now())
    left = and_(table.state == State.UNDOING.value, table.undone_by == (seen.undone_by or ""))
    taken = connection.execute(
        update(KEEPSAKES)
        .where(table.id == seen.id, table.freed_at.is_(None), or_(free, left))
        .values(state=State.UNDOING.value, undone_by=by)
    )
    return taken.rowcount == 1


def undone(connection: Connection, keepsake_id: str, by: str) -> None:
    """Write that all that could be brought back is back."""
    table = KEEPSAKES.c
    mine = and_(table.id == keepsake_id, table.undone_by == by)
    connection.execute(update(KEEPSAKES).where(mine).values(state=State.UNDONE.value))


def expire(connection: Connection, now: datetime) -> tuple[Keepsake, ...]:
    """Return what is to be freed: from now on it can't be brought back any more. Call `freed` when it is.

    A return that broke off is given `GRACE`: half of it may be back.
    """
    table = KEEPSAKES.c
    over = and_(table.freed_at.is_(None), table.expires_at <= now)
    busy = and_(table.state == State.UNDOING.value, table.expires_at > now - GRACE)
    kept = table.state.in_((State.KEPT.value, State.UNDOING.value))
    connection.execute(update(KEEPSAKES).where(over, kept, ~busy).values(state=State.EXPIRED.value))
    rows = connection.execute(
        select(KEEPSAKES).where(over, table.state.in_((State.EXPIRED.value, State.UNDONE.value)))
    )
    return tuple(_keepsake(row) for row in rows.mappings())


def freed(connection: Connection, keepsake_id: str) -> None:
    """Write that nothing of it is held any more."""
    _change(connection, keepsake_id, freed_at=utc_now(), bytes=0)


@dataclass(frozen=True, kw_only=True)
class Held:
    """What is held aside, of all runs."""

    runs: int
    bytes: int
    """As far as it is known."""
    until: datetime | None
    """When the last of it can't be brought back any more, aware UTC."""
    overdue_since: datetime | None
    """Since when the oldest of what is to be freed waits for that, aware UTC."""


def held(connection: Connection) -> Held:
    """Return what is held aside at present."""
    table = KEEPSAKES.c
    waiting = table.state.in_((State.KEPT.value, State.UNDOING.value))
    latest = func.max(table.expires_at, type_=table.expires_at.type)
    query = select(func.count(table.run_id.distinct()), func.sum(table.bytes), latest)
    runs, size, until = connection.execute(query.where(waiting, table.freed_at.is_(None))).one()
    oldest = func.min(table.expires_at, type_=table.expires_at.type)
    over = connection.scalar(
        select(oldest).where(table.freed_at.is_(None), table.expires_at <= utc_now())
    )
    return Held(runs=runs, bytes=int(size or 0), until=until, overdue_since=over)


def _change(connection: Connection, keepsake_id: str, **values: object) -> None:
    connection.execute(update(KEEPSAKES).where(KEEPSAKES.c.id == keepsake_id).values(**values))


def _keepsake(row: RowMapping) -> Keepsake:
    return Keepsake(**{**row, "kept": json.loads(row["kept"]), "state": State(row["state"])})


def bringable(found: Sequence[Keepsake], now: datetime) -> tuple[Keepsake, ...]:
    """Return those that can still be brought back."""
    return tuple(
        one
        for one in found
        if one.freed_at is None
        and (one.state is State.UNDOING or (one.state is State.KEPT and one.expires_at > now))
    )
