"""The tables of what is hidden: ranges of cleared rows that are still in `tasks`, and which rows in them are seen."""

from sqlalchemy import BigInteger, Column, Index, Integer, String, Table

from knowledge_base_agent.records.database import METADATA, UtcDateTime

CLEARINGS = Table(
    "clearings",
    METADATA,
    # Never given twice, so that what was spared by one that is gone is spared by no other.
    Column("number", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("keepsake_id", String(32), nullable=False),
    Column("state", String(16), nullable=False),
    Column("since", UtcDateTime),  # of `updated_at`, included; None: from the first row on
    Column("until", UtcDateTime, nullable=False),  # not included
    Column("hides", BigInteger, nullable=False),  # rows, kept like the counters by state
    Index("ix_clearings_keepsake_id", "keepsake_id"),
    sqlite_autoincrement=True,
)
"""Ranges of `tasks` that nobody sees. No two share a moment of the same state, so each row is hidden by one at most."""

SPARED_TASKS = Table(
    "spared_tasks",
    METADATA,
    Column("clearing", BigInteger, primary_key=True, autoincrement=False),
    Column("id", String(128), primary_key=True),
)
"""Tasks that were written after a clearing though they are within its range: late entries, and rows that came back."""
