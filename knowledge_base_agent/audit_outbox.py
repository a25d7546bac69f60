"""What still has to come to the audit channel: read in the order of the chain, marked before it is sent and after.

The mark before is what lets a bot know that another one, which died or lost its lease in the middle, may have posted
that very entry.
"""

from collections.abc import Sequence
from datetime import datetime

from msgspec import Struct
from sqlalchemy import Connection, Engine, func, select, update

from knowledge_base_agent.audit import Entry, Kind
from knowledge_base_agent.records import audit_chain
from knowledge_base_agent.records.database import reading, writing
from knowledge_base_agent.records.road_tables import AUDIT

_WAITING = AUDIT.c.posted_at.is_(None)


class Backlog(Struct, frozen=True, kw_only=True):
    """How many entries wait for the channel, and since when (aware UTC) the oldest does."""

    waiting: int
    since: datetime | None


def unposted(engine: Engine, limit: int = 20) -> tuple[Entry, ...]:
    """Return the oldest entries that the audit channel has not got yet. Raises `Away`."""
    query = select(AUDIT).where(_WAITING).order_by(AUDIT.c.id).limit(limit)
    with reading(engine) as connection:
        rows = connection.execute(query).mappings().all()
    return tuple(
        Entry(**{k: v for k, v in row.items() if k != "posted_at"} | {"kind": _kind(row["kind"])})
        for row in rows
    )


def _kind(text: str) -> Kind:
    """While a new version is rolled out, older bots post what the newer ones write."""
    try:
        return Kind(text)
    except ValueError:
        return Kind.OTHER


def mark_tried(engine: Engine, number: int, at: datetime) -> None:
    """Record that an entry is about to be posted. Raises `Away`."""
    with writing(engine) as connection:
        _mark_tried(connection, number, at)


def mark_posted(
    engine: Engine, ids: Sequence[int], at: datetime, following: int | None = None
) -> None:
    """Record that Slack has accepted these entries, and that `following` is about to be posted. Raises `Away`."""
    with writing(engine) as connection:
        connection.execute(update(AUDIT).where(AUDIT.c.id.in_(ids)).values(posted_at=at))
        if following is not None:
            _mark_tried(connection, following, at)


def _mark_tried(connection: Connection, number: int, at: datetime) -> None:
    connection.execute(update(AUDIT).where(AUDIT.c.id == number).values(tried_at=at))


def end_of_day(engine: Engine) -> None:
    """Write the head of the day that is over (UTC), if it has none yet. Raises `Away`."""
    with writing(engine) as connection:
        audit_chain.close_day(connection)


def backlog(connection: Connection) -> Backlog:
    """Tell what waits for the channel."""
    query = select(func.count(), func.min(AUDIT.c.at)).where(_WAITING)
    waiting, since = connection.execute(query).one()
    return Backlog(waiting=waiting, since=since)
