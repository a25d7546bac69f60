"""The tables behind `retry`: the messages that were kept, and which task was sent again as which."""

from sqlalchemy import Column, Index, String, Table, Text

from knowledge_base_agent.records.database import METADATA, UtcDateTime

TASK_MESSAGES = Table(
    "task_messages",
    METADATA,
    Column("id", String(128), primary_key=True),
    Column("queue", Text),
    Column("message", Text, nullable=False),  # JSON; task_messages.py says of what
)

TASK_RETRIES = Table(
    "task_retries",
    METADATA,
    Column("new_id", String(128), primary_key=True),
    Column("old_id", String(128), nullable=False),
    Column("retried_at", UtcDateTime, nullable=False),
    Index("ix_task_retries_old_id", "old_id"),
)
