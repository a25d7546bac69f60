"""From where an entry of the audit was moved to where it is now: found by its seal, which fits only its own place."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection, select

from knowledge_base_agent.records.audit_chain import AS_STORED, NOTHING, seal
from knowledge_base_agent.records.road_tables import AUDIT

_PAGE = 5000


def moved_from(connection: Connection, number: int) -> int | None:
    """Return the number under which the entry that is now `number` was written; None when its seal fits nowhere.

    Looks at every entry's seal once: two hashes an entry.
    """
    row = connection.execute(select(*AS_STORED).where(AUDIT.c.id == number)).mappings().one()
    for place, previous, own in _places(connection):
        # Either its seal came along, or it stayed behind and only what is said was moved.
        if seal(previous, {**row, "id": place}) in {row["seal"], own} and place != number:
            return place
        # Exchanged with its neighbour, the seal before it now stands at its own old place.
        if own and seal(own, {**row, "id": place}) == row["seal"]:
            return place
    return None


def _places(connection: Connection) -> Iterator[tuple[int, str, str]]:
    """Yield each number with the seal before it and its own; last the one after the newest."""
    after, previous = 0, NOTHING
    query: Any = select(AUDIT.c.id, AUDIT.c.seal).order_by(AUDIT.c.id).limit(_PAGE)
    while True:
        rows = connection.execute(query.where(AUDIT.c.id > after)).all()
        for row in rows:
            yield row.id, previous, row.seal
            after, previous = row.id, row.seal
        if len(rows) < _PAGE:
            yield after + 1, previous, ""
            return
