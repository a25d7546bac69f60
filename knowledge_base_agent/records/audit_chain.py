"""The audit's chain: every entry is sealed with the seal of the one before it, and a head row keeps the newest.

A seal is the SHA-256 of the previous seal and of all that the entry says, so a changed, moved, added or missing entry
breaks the chain at that place. What can't show from within (a tail that was cut off together with the head row, or all
of it written anew) shows against the seals that were posted to the audit channel: every message there carries one, and
at every hundredth entry and after each day (UTC) a *head* names one for people to copy.

Entries are numbered here, not by the database, whose sequences have gaps after a rollback. Who appends holds the head
row (on SQLite the only writer's lock) until the caller's transaction ends, so append as late in it as possible.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Final

from sqlalchemy import Connection, insert, select, type_coerce, update
from sqlalchemy.types import NullType

from knowledge_base_agent.clock import utc_now
from knowledge_base_agent.problems import Lost
from knowledge_base_agent.records.road_tables import AUDIT, AUDIT_HEAD

Values = Mapping[str, Any]

HEAD = "head"
"""The kind of an entry that names the seal of the one before it."""
HEAD_EVERY: Final = 100
_NEWEST: Final = 10_000
NOTHING: Final = "0" * 64
"""What stands for the previous seal before the first entry."""
SEALED: Final = (
    "id", "at", "actor_id", "actor_name", "surface", "kind", "operation", "words", "detail", "run_id",
    "confirmation_id", "place",
)  # fmt: skip
"""All that an entry says. Not when it was posted to Slack, which comes later."""
HEAD_AGAIN: Final = (
    "INSERT INTO audit_head (id, number, seal, day, named) SELECT 1, id, seal, date(at), 0 FROM audit_entries "
    "ORDER BY id DESC LIMIT 1"
)
"""Writes a lost head row again. What was cut off of the chain before that shows only by seals kept elsewhere."""
_FORM: Final = "kb-audit-1"
AS_STORED: Final = tuple(
    type_coerce(column, NullType()) if column.name == "at" else column for column in AUDIT.columns
)
"""The columns of the audit for computing seals: times come as they stand, even what somebody has made unreadable."""


@dataclass(frozen=True, kw_only=True)
class Head:
    """The newest entry: its number (0: there is none), its seal, its day (UTC); and the number of the newest head."""

    number: int
    seal: str
    day: date | None
    named: int


def seal(previous: str, values: Values) -> str:
    """Return the seal of an entry, as 64 hexadecimal digits.

    JSON with sorted keys leaves no doubt where a field ends; a time has one form alone.
    """
    said = {name: values[name] for name in SEALED} | {"at": stamp(values["at"])}
    encoded = json.dumps(said, sort_keys=True, separators=(",", ":"), default=repr)
    return hashlib.sha256(f"{_FORM}\n{previous}\n{encoded}".encode()).hexdigest()


def stamp(at: datetime | str) -> str:
    """Return a moment as it is sealed: ISO 8601 in UTC with microseconds. Text comes from SQLite, in UTC already."""
    if isinstance(at, datetime):
        return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    return f"{str(at).replace(' ', 'T')}Z"


def append(connection: Connection, entries: Sequence[Values]) -> None:
    """Write entries in the caller's transaction: the columns of `SEALED` but for `id`, and heads where they are due.

    Raises `Lost` when the head row is gone, since nothing may happen that can't be recorded.
    """
    _continue(connection, entries)


def is_there(connection: Connection, entry: Values) -> bool:
    """Tell whether such an entry is among the newest, and keep others from appending until the transaction ends.

    That is for who has lost the answer to a COMMIT: one that is still on its way is waited for.
    """
    head = read_head(connection, hold=True)
    same = [
        AUDIT.c[name] == entry[name] for name in ("at", "actor_id", "kind", "operation", "words")
    ]
    found = select(AUDIT.c.id).where(AUDIT.c.id > head.number - _NEWEST, *same).limit(1)
    return connection.execute(found).first() is not None


def close_day(connection: Connection) -> bool:
    """Write the head of the day that is over (UTC), if entries have come since the last head; tell whether it did."""
    return _continue(connection, ()) > 0


def read_head(connection: Connection, *, hold: bool = False) -> Head:
    """Return the newest entry as the head row keeps it. Raises `Lost` when that row is gone.

    `hold` keeps others from appending until the transaction ends.
    """
    query = select(AUDIT_HEAD.c.number, AUDIT_HEAD.c.seal, AUDIT_HEAD.c.day, AUDIT_HEAD.c.named)
    row = connection.execute(query.with_for_update() if hold else query).mappings().one_or_none()
    if row is None:
        raise Lost(
            "The audit has lost its head row, the only one of audit_head: nothing can be recorded or changed.",
            f"Find out who deleted it (docs/audit.md, “When it is broken”), then run: {HEAD_AGAIN}",
            source="the database",
        )
    return Head(**row)


def _continue(connection: Connection, entries: Sequence[Values]) -> int:
    found = read_head(connection, hold=True)
    chain = _Chain(head=found, today=utc_now().date())
    written = list(chain.over(entries))
    if written:
        connection.execute(insert(AUDIT), written)
        connection.execute(update(AUDIT_HEAD).values(**vars(chain.head)))
    return len(written)


@dataclass(kw_only=True)
class _Chain:
    """The chain while it grows."""

    head: Head
    today: date

    def over(self, entries: Sequence[Values]) -> Iterator[Values]:
        """Yield the rows to be written, heads among them."""
        before = self.head.day
        if before is not None and before < self.today and self.head.number > self.head.named:
            yield self._named()
        for entry in entries:
            yield self._sealed(entry)
            if self.head.number % HEAD_EVERY == 0:
                yield self._named()

    def _sealed(self, entry: Values) -> Values:
        numbered = {**entry, "id": self.head.number + 1}
        sealed = seal(self.head.seal, numbered)
        named = self.head.number + 1 if entry["kind"] == HEAD else self.head.named
        self.head = Head(number=self.head.number + 1, seal=sealed, day=self.today, named=named)
        return {**numbered, "seal": sealed}

    def _named(self) -> Values:
        return self._sealed(
            {
                "at": utc_now(),
                "actor_id": "bot",
                "actor_name": "the bot",
                "surface": "schedule",
                "kind": HEAD,
                "operation": "audit",
                "words": "",
                "detail": f"entry {self.head.number:,}, sha256 {self.head.seal}",
                "run_id": None,
                "confirmation_id": None,
                "place": "",
            }
        )
