"""The tables of the task history, of the agent's state, and of the recorder's own position."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    Index,
    Integer,
    String,
    Table,
    Text,
    false,
)

from knowledge_base_agent.records.database import METADATA, UtcDateTime

TASKS = Table(
    "tasks",
    METADATA,
    Column("id", String(128), primary_key=True),
    Column("name", Text, nullable=False),
    Column("queue", Text),
    Column("state", String(16), nullable=False),
    Column("attempt", BigInteger, nullable=False),  # orders the runs of one id; merging.py says how
    Column("retries", Integer, nullable=False),
    Column("redelivered", Boolean, nullable=False, server_default=false()),
    Column("worker", Text),
    Column("process_id", BigInteger),
    Column("published_at", UtcDateTime),
    Column("received_at", UtcDateTime),
    Column("started_at", UtcDateTime),
    Column("finished_at", UtcDateTime),
    Column("updated_at", UtcDateTime, nullable=False),  # when the present state began
    Column("eta", UtcDateTime),
    Column("time_limit", Float),  # seconds; None when neither the message nor the worker sets one
    Column("parent_id", String(128)),
    Column("root_id", String(128)),
    Column("args_repr", Text),
    Column("args_shortened", Boolean, nullable=False, server_default=false()),
    Column("error_class", Text),
    Column("error_message", Text),
    Column("traceback", Text),
    # The only index beside the key: each costs the recorder's writes. `updated_at` is also the end of finished tasks.
    Index("ix_tasks_state_updated_at", "state", "updated_at"),
)

TASK_COUNTS = Table(
    "task_counts",
    METADATA,
    Column("state", String(16), primary_key=True),
    Column("tasks", BigInteger, nullable=False),
)
"""Rows of `tasks` by state, kept in the transactions that change them, so that counting costs the same at any size."""

TASK_HOURS = Table(
    "task_hours",
    METADATA,
    Column("hour", UtcDateTime, primary_key=True),
    Column("state", String(16), primary_key=True),
    Column("finished", BigInteger, nullable=False),
)
"""Tasks by the hour in which they ended. Clearing rows leaves it: what happened, happened."""

AGENT_STATE = Table(
    "agent_state",
    METADATA,
    Column("id", Integer, primary_key=True, autoincrement=False),  # always 1
    Column("status", String(16), nullable=False),
    Column("phase", Text),
    Column("task_id", String(128)),
    Column("source", Text),
    Column("started_at", UtcDateTime),
    Column("updated_at", UtcDateTime, nullable=False),
)

RECORDER_STATE = Table(
    "recorder_state",
    METADATA,
    Column("id", Integer, primary_key=True, autoincrement=False),  # always 1
    Column("last_id", String(64), nullable=False),  # the last stream entry that is in the rows
    Column("position", BigInteger, nullable=False),  # which of all entries ever added that one is
    Column("lag", BigInteger, nullable=False),  # entries that waited when this was written
    Column("last_event_at", UtcDateTime),
    Column("updated_at", UtcDateTime, nullable=False),
    Column("holder", Text, nullable=False),
)

HISTORY_GAPS = Table(
    "history_gaps",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("noticed_at", UtcDateTime, nullable=False),
    Column("source", Text, nullable=False),  # "stream", or the process that dropped entries
    Column("lost", BigInteger),  # entries; None when their number cannot be known
    Column("detail", Text, nullable=False),
)
