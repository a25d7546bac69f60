"""The tables of what people want to last, whichever workers come and go: paused queues, revoked tasks."""

from sqlalchemy import Boolean, Column, Index, String, Table, Text

from knowledge_base_agent.records.database import METADATA, UtcDateTime

PAUSES = Table(
    "pauses",
    METADATA,
    Column("kind", String(16), primary_key=True),
    Column("subject", String(255), primary_key=True),
    Column("at", UtcDateTime, nullable=False),
    Column("by", String(200), nullable=False),
    Column("until", UtcDateTime),
    Column("ended_at", UtcDateTime),
    Column("ended_by", String(200)),
    Column("workers", Text, nullable=False),  # a JSON list of the names that were told to stop
)
"""A row stays after its end until every worker that was told to stop takes from the queue again."""

REVOKED_TASKS = Table(
    "revoked_tasks",
    METADATA,
    Column("id", String(128), primary_key=True),
    Column("at", UtcDateTime, nullable=False),
    Column("by", String(200), nullable=False),
    Column("terminate", Boolean, nullable=False),
    Column("settled_at", UtcDateTime),
)
"""Every task that was revoked here; those that are not settled are told to each worker that joins."""
# Only what is still told (see `database.METADATA`): stays small however many were ever revoked.
Index(
    "ix_revoked_tasks_unsettled",
    REVOKED_TASKS.c.id,
)
