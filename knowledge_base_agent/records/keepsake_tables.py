"""The table of keepsakes: what runs have put aside, so that it can be brought back."""

from sqlalchemy import BigInteger, Column, Index, String, Table, Text

from knowledge_base_agent.records.database import METADATA, UtcDateTime

KEEPSAKES = Table(
    "keepsakes",
    METADATA,
    Column("id", String(32), primary_key=True),
    Column("run_id", String(32), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("kept", Text, nullable=False),  # JSON; what of depends on the kind
    Column("number", BigInteger),  # of things put aside; None until it is known
    Column("bytes", BigInteger),  # of memory held; None where it is not known
    Column("state", String(16), nullable=False),
    Column("kept_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
    Column("undone_by", String(32)),
    Column("freed_at", UtcDateTime),
    Index("ix_keepsakes_run_id", "run_id"),
    Index("ix_keepsakes_freed_at_expires_at", "freed_at", "expires_at"),
)
