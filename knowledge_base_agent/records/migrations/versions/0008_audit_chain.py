"""The audit's chain: a seal for each entry, those that are there already included, and the head row."""

from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
from alembic import op

from knowledge_base_agent.records.audit_chain import NOTHING, SEALED, seal
from knowledge_base_agent.records.database import UtcDateTime

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_KEY = sa.BigInteger().with_variant(sa.Integer, "sqlite")
_AT_ONCE = 1000
_ENTRIES = sa.table(
    "audit_entries",
    sa.column("seal"),
    *(sa.column(name, UtcDateTime() if name == "at" else None) for name in SEALED),
)
_UNPOSTED = "ix_audit_entries_unposted"


def upgrade() -> None:
    """Chain the entries in the order in which they were written, without gaps in their numbers."""
    head = op.create_table(
        "audit_head",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("number", _KEY, nullable=False),
        sa.Column("seal", sa.String(64), nullable=False),
        sa.Column("day", sa.Date),
        sa.Column("named", _KEY, nullable=False),
    )
    op.drop_index(_UNPOSTED, "audit_entries")
    op.add_column("audit_entries", sa.Column("seal", sa.String(64)))
    number, last, day = 0, NOTHING, None
    for number, row in enumerate(_entries(), start=1):
        last = _sealed(number, last, row)
        day = row["at"].date()
    with op.batch_alter_table("audit_entries") as table:
        table.alter_column("seal", existing_type=sa.String(64), nullable=False)
    waiting = sa.text("posted_at IS NULL")
    op.create_index(
        _UNPOSTED, "audit_entries", ["id"], sqlite_where=waiting, postgresql_where=waiting
    )
    op.bulk_insert(head, [{"id": 1, "number": number, "seal": last, "day": day, "named": 0}])


def _entries() -> Iterator[Any]:
    """Yield all rows, in pages: an audit may be larger than the memory."""
    after = 0
    while True:
        query = sa.select(_ENTRIES).where(_ENTRIES.c.id > after).order_by(_ENTRIES.c.id)
        page = op.get_bind().execute(query.limit(_AT_ONCE)).mappings().all()
        yield from page
        if len(page) < _AT_ONCE:
            return
        after = page[-1]["id"]


def _sealed(number: int, previous: str, row: Any) -> str:
    # A number only gets smaller, and those below it are taken already by earlier entries: none is taken twice.
    sealed = seal(previous, {**row, "id": number})
    change = sa.update(_ENTRIES).where(_ENTRIES.c.id == row["id"])
    op.get_bind().execute(change.values(id=number, seal=sealed))
    return sealed
