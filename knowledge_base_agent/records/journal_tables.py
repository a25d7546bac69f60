"""The journal of runbooks: each step of each reset, as it was planned and as it went."""

from sqlalchemy import Column, Integer, String, Table, Text

from knowledge_base_agent.records.database import METADATA, UtcDateTime

JOURNAL_STEPS = Table(
    "journal_steps",
    METADATA,
    Column("run_id", String(64), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("name", String(64), nullable=False),
    Column("state", String(16), nullable=False),
    Column("detail", Text, nullable=False),
    Column("at", UtcDateTime, nullable=False),
)
