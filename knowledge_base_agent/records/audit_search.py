"""Reading the audit: a filter, the newest entries that fit it, and all of them, page by page."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Engine, and_, func, or_, select, true

from knowledge_base_agent.records.audit_chain import read_head
from knowledge_base_agent.records.database import reading
from knowledge_base_agent.records.road_tables import AUDIT

_PAGE: Final = 1000
_TEXTS: Final = (AUDIT.c.words, AUDIT.c.detail, AUDIT.c.run_id, AUDIT.c.confirmation_id)


@dataclass(frozen=True, kw_only=True)
class AuditFilter:
    """What an entry must be like; what is empty or None asks for nothing.

    `person` is contained in a name or is the whole id, `text` is contained in the words or what came of them, both in
    any case; the others are exact. `since` (included) and `until` (not) are aware UTC.
    """

    person: str = ""
    operation: str = ""
    kinds: tuple[str, ...] = ()
    run: str = ""
    text: str = ""
    since: datetime | None = None
    until: datetime | None = None


def condition(wanted: AuditFilter) -> ColumnElement[bool]:
    """Return the condition on `audit_entries`."""
    parts: list[ColumnElement[bool]] = []
    if wanted.person:
        name = AUDIT.c.actor_name.icontains(wanted.person, autoescape=True)
        parts.append(name | (func.lower(AUDIT.c.actor_id) == wanted.person.lower()))
    if wanted.operation:
        parts.append(AUDIT.c.operation == wanted.operation)
    if wanted.kinds:
        parts.append(AUDIT.c.kind.in_(wanted.kinds))
    if wanted.run:
        parts.append(AUDIT.c.run_id == wanted.run)
    if wanted.text:
        parts.append(or_(*(one.icontains(wanted.text, autoescape=True) for one in _TEXTS)))
    if wanted.since is not None:
        parts.append(AUDIT.c.at >= wanted.since)
    if wanted.until is not None:
        parts.append(AUDIT.c.at < wanted.until)
    return and_(true(), *parts)


def newest_entries(
    connection: Connection, wanted: AuditFilter, limit: int
) -> tuple[Mapping[str, Any], ...]:
    """Return the newest entries that fit, the newest first: columns by name."""
    query = select(AUDIT).where(condition(wanted)).order_by(AUDIT.c.id.desc()).limit(limit)
    return tuple(dict(row) for row in connection.execute(query).mappings())


def how_many_entries(connection: Connection, wanted: AuditFilter, *, at_most: int) -> int:
    """Count the entries that fit, and stop counting at `at_most`."""
    some = select(AUDIT.c.id).where(condition(wanted)).limit(at_most).subquery()
    return int(connection.execute(select(func.count()).select_from(some)).scalar_one())


def every_entry(engine: Engine, wanted: AuditFilter) -> Iterator[Mapping[str, Any]]:
    """Yield all entries that fit and that are there now, the oldest first, in constant memory. Raises `Away`.

    Each page is read by itself, so that a slow reader holds up nobody; entries only ever come behind the last.
    """
    with reading(engine) as connection:
        last = read_head(connection).number
    query = select(AUDIT).where(condition(wanted), AUDIT.c.id <= last).order_by(AUDIT.c.id)
    after = 0
    while True:
        with reading(engine) as connection:
            page = connection.execute(query.where(AUDIT.c.id > after).limit(_PAGE)).mappings().all()
        yield from map(dict, page)
        if len(page) < _PAGE:
            return
        after = page[-1]["id"]
