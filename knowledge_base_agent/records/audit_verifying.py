"""Is the audit what was written? The whole chain is computed again, and compared with seals that were kept elsewhere.

From the newest entry to the oldest, page by page, so that a look which has only seconds sees the newest; constant
memory at any length. What is found first in the chain is named, since all after it hangs on it.
"""

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any, Final

from sqlalchemy import Connection, Engine, select, text

from knowledge_base_agent.records.audit_chain import AS_STORED, NOTHING, Head, read_head, seal
from knowledge_base_agent.records.audit_moves import moved_from
from knowledge_base_agent.records.database import reading
from knowledge_base_agent.records.road_tables import AUDIT

_PAGE: Final = 2000
_AT_ONCE: Final = 500


class Damage(Enum):
    """What has been done to an entry."""

    EDITED = "edited"
    MISSING = "missing"
    REORDERED = "reordered"
    TRUNCATED = "truncated"
    ADDED = "added"
    REWRITTEN = "rewritten"


@dataclass(frozen=True, kw_only=True)
class Broken:
    """The first entry that is not what was written, what kind of damage that is, and how it shows."""

    number: int
    damage: Damage
    how: str


@dataclass(frozen=True, kw_only=True)
class Seal:
    """A seal that was kept outside of the database: the whole hash or how it begins, and where it stands."""

    number: int
    sha256: str
    source: str


@dataclass(frozen=True, kw_only=True)
class PostedSeals:
    """The seals that stand in the audit channel, back to a moment (aware UTC); None: all of them."""

    seals: tuple[Seal, ...]
    back_to: datetime | None


@dataclass(frozen=True, kw_only=True)
class Verified:
    """What came of it. `looked` of `head.number` entries were computed again; `compared` seals were looked up."""

    head: Head
    looked: int
    compared: int
    broken: Broken | None

    @property
    def whole(self) -> bool:
        """Whether every entry was looked at."""
        return self.broken is not None or self.looked >= self.head.number


def verify(engine: Engine, seals: Sequence[Seal] = (), *, until: float | None = None) -> Verified:
    """Compute the chain again, until `time.monotonic()` is `until`, or to its beginning. Raises `Away`.

    `seals` are compared even where their entries are not reached in time.
    """
    with reading(engine) as connection:
        if engine.dialect.name == "postgresql":  # one moment for all pages, as SQLite has it anyway
            connection.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"))
        head = read_head(connection)
        found = _end(connection, head)
        looked = 0
        for number, broken in _pages(connection):
            looked += number
            found = _earlier(broken, found)
            if until is not None and time.monotonic() >= until:
                break
        found = _earlier(_outside(connection, head, seals), found)
        found = _named_more_closely(connection, found)
    return Verified(head=head, looked=looked, compared=len(seals), broken=found)


def _earlier(one: Broken | None, other: Broken | None) -> Broken | None:
    found = [each for each in (one, other) if each is not None]
    return min(found, key=lambda each: each.number, default=None)


def _end(connection: Connection, head: Head) -> Broken | None:
    """Compare the newest entry with the head row."""
    newest = select(AUDIT.c.id, AUDIT.c.seal).order_by(AUDIT.c.id.desc()).limit(1)
    row = connection.execute(newest).one_or_none()
    number, sealed = (row.id, row.seal) if row is not None else (0, NOTHING)
    if number < head.number:
        how = f"the head row counts {head.number:,} entries, and the last one that is there is {number:,}"
        return Broken(number=number + 1, damage=Damage.TRUNCATED, how=how)
    if number > head.number:
        how = f"the head row ends at entry {head.number:,}: not written by this program"
        return Broken(number=head.number + 1, damage=Damage.ADDED, how=how)
    if sealed != head.seal:
        how = "its seal is not the one that the head row keeps"
        return Broken(number=number, damage=Damage.REWRITTEN, how=how)
    return None


def _pages(connection: Connection) -> Iterator[tuple[int, Broken | None]]:
    """Yield, from the newest page to the oldest, how many entries were computed and the first broken one in it."""
    query = select(*AS_STORED).order_by(AUDIT.c.id.desc()).limit(_PAGE + 1)
    below: int | None = None
    while True:
        page = query if below is None else query.where(AUDIT.c.id < below)
        rows = connection.execute(page).mappings().all()
        if not rows:
            return
        before = rows[_PAGE] if len(rows) > _PAGE else None
        yield len(rows[:_PAGE]), _broken_in(rows[:_PAGE][::-1], before)
        below = rows[:_PAGE][-1]["id"]


def _broken_in(rows: Sequence[Any], before: Any) -> Broken | None:
    number, previous = (before["id"], before["seal"]) if before is not None else (0, NOTHING)
    for row in rows:
        if row["id"] != number + 1:
            gone = (
                f"{row['id'] - number - 1:,} missing" if row["id"] > number else "below the first"
            )
            return Broken(
                number=number + 1, damage=Damage.MISSING, how=f"{gone} before {row['id']:,}"
            )
        if seal(previous, row) != row["seal"]:
            how = "what it says does not fit its seal and the entry before it"
            return Broken(number=row["id"], damage=Damage.EDITED, how=how)
        number, previous = row["id"], row["seal"]
    return None


def _named_more_closely(connection: Connection, found: Broken | None) -> Broken | None:
    """Tell an entry that was moved from one that was edited: its seal fits it in another place."""
    if found is None or found.damage is not Damage.EDITED:
        return found
    place = moved_from(connection, found.number)
    if place is None:
        return found
    how = f"what stands there was written as entry {place:,}"
    return Broken(number=found.number, damage=Damage.REORDERED, how=how)


def _outside(connection: Connection, head: Head, seals: Iterable[Seal]) -> Broken | None:
    """Compare seals that were kept elsewhere, and return the first that does not fit."""
    wanted = sorted(seals, key=lambda one: one.number)
    for start in range(0, len(wanted), _AT_ONCE):
        some = wanted[start : start + _AT_ONCE]
        query = select(AUDIT.c.id, AUDIT.c.seal).where(AUDIT.c.id.in_({one.number for one in some}))
        known = {row.id: row.seal for row in connection.execute(query)}
        for one in some:
            if not str(known.get(one.number, "")).startswith(one.sha256):
                return _unlike(one, head, there=one.number in known)
    return None


def _unlike(one: Seal, head: Head, *, there: bool) -> Broken:
    if there:
        how = f"it does not match its seal {one.source}"
        return Broken(number=one.number, damage=Damage.REWRITTEN, how=how)
    if one.number > head.number:
        how = f"the database ends there, and there is a seal of entry {one.number:,} {one.source}"
        return Broken(number=head.number + 1, damage=Damage.TRUNCATED, how=how)
    how = f"it is gone, and its seal stands {one.source}"
    return Broken(number=one.number, damage=Damage.MISSING, how=how)
