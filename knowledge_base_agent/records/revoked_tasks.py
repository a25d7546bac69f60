"""The tasks that were revoked here, until nobody can run them any more.

A worker forgets what was revoked when it restarts, and after three hours in any case; a task that waits for its time
then runs, though its state says REVOKED. So each id is kept, and told to every worker that joins (`keeping`).
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, delete, func, insert, select, update

from knowledge_base_agent.clock import utc_now
from knowledge_base_agent.records.database import writing
from knowledge_base_agent.records.hidden import shown
from knowledge_base_agent.records.standing_orders_tables import REVOKED_TASKS
from knowledge_base_agent.records.states import FINISHED, REVOKED
from knowledge_base_agent.records.tables import TASKS
from knowledge_base_agent.records.upserts import upsert

KEEP = timedelta(days=7)
"""How long an id is told at most, after its revoke or after its task's time, whichever is later."""
_AT_ONCE = 200
T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class RevokedTask:
    """One task that is to be kept from running. Times are aware UTC."""

    id: str
    at: datetime
    by: str
    terminate: bool
    """Whether one that runs is to be stopped."""


@dataclass(frozen=True, kw_only=True)
class Remembered:
    """What was written by one `remember_revoked`, and the rows that it replaced: for `forget_revoked`."""

    rows: Sequence[Mapping[str, Any]]
    replaced: Sequence[Mapping[str, Any]]


def remember_revoked(engine: Engine, ids: Iterable[str], *, by: str, terminate: bool) -> Remembered:
    """Keep that these tasks are revoked: to be called before workers are told, so that none is forgotten.

    Raises `Away` when the database can't be written.
    """
    now, wanted, replaced = utc_now(), sorted(set(ids)), list[Mapping[str, Any]]()
    rows = [
        {"id": one, "at": now, "by": by[:200], "terminate": terminate, "settled_at": None}
        for one in wanted
    ]
    if not rows:
        return Remembered(rows=(), replaced=())
    with writing(engine) as connection:
        for chunk in _chunks(rows):
            mine = REVOKED_TASKS.c.id.in_([one["id"] for one in chunk])
            found = connection.execute(select(REVOKED_TASKS).where(mine)).mappings()
            replaced += [dict(row) for row in found]
            connection.execute(upsert(connection, REVOKED_TASKS).values(chunk))
    return Remembered(rows=rows, replaced=replaced)


def forget_revoked(engine: Engine, remembered: Remembered) -> None:
    """Take it back, since nobody was told and nobody shall be: what was remembered before is as it was. Raises `Away`.

    What somebody else has remembered since stays.
    """
    table = REVOKED_TASKS
    before = {str(row["id"]): dict(row) for row in remembered.replaced}
    with writing(engine) as connection:
        for chunk in _chunks(remembered.rows):
            mine = table.c.id.in_([one["id"] for one in chunk]) & (table.c.at == chunk[0]["at"])
            gone = (
                connection.execute(delete(table).where(mine).returning(table.c.id)).scalars().all()
            )
            if back := [before[one] for one in gone if one in before]:
                connection.execute(insert(table), back)


def _chunks(all_of_them: Sequence[T]) -> Iterator[Sequence[T]]:
    for start in range(0, len(all_of_them), _AT_ONCE):
        yield all_of_them[start : start + _AT_ONCE]


def newest_unsettled(connection: Connection) -> datetime | None:
    """Return when the newest revoke was that still has to be told; None when there is nothing to tell."""
    table = REVOKED_TASKS
    query = select(func.max(table.c.at, type_=table.c.at.type)).where(table.c.settled_at.is_(None))
    return connection.execute(query).scalar()


def unsettled(connection: Connection) -> tuple[RevokedTask, ...]:
    """Return the tasks that have to be told, the oldest revoke first."""
    table = REVOKED_TASKS
    query = select(table.c.id, table.c.at, table.c.by, table.c.terminate)
    rows = connection.execute(query.where(table.c.settled_at.is_(None)).order_by(table.c.at))
    return tuple(
        RevokedTask(id=one, at=at, by=by, terminate=terminate) for one, at, by, terminate in rows
    )


def settle(connection: Connection, now: datetime) -> int:
    """Settle the tasks that nobody can run any more, and return how many those were.

    A row that says REVOKED settles nothing before `KEEP` is over: the worker that said so may die with the message
    unacknowledged, and another one gets it.
    """
    table = REVOKED_TASKS
    query = select(table.c.id, table.c.at, TASKS.c.state, TASKS.c.eta).outerjoin_from(
        table, TASKS, (TASKS.c.id == table.c.id) & shown(connection)
    )
    over = [
        one
        for one, at, state, eta in connection.execute(query.where(table.c.settled_at.is_(None)))
        if _ended(state) or now > max(at, eta or at) + KEEP
    ]
    _mark(connection, over, now)
    return len(over)


def _ended(state: str | None) -> bool:
    return state is not None and state in FINISHED and state != REVOKED


def _mark(connection: Connection, ids: Sequence[str], now: datetime) -> None:
    table = REVOKED_TASKS
    for chunk in _chunks(ids):
        chosen = table.c.id.in_(chunk)
        connection.execute(update(table).where(chosen).values(settled_at=now))
