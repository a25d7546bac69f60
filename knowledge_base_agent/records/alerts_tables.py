"""The tables of the watcher: its alerts, and the schedules that have run."""

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, String, Table, Text, false

from knowledge_base_agent.records.database import METADATA, UtcDateTime

# SQLite numbers rows by itself only where the key is exactly INTEGER.
_KEY = BigInteger().with_variant(Integer, "sqlite")

ALERTS = Table(
    "alerts",
    METADATA,
    Column("number", _KEY, primary_key=True, autoincrement=True),
    Column("key", String(300), nullable=False),  # kind and subject: the same trouble, the same key
    Column("kind", String(32), nullable=False),
    Column("subject", String(255), nullable=False),
    Column("severity", String(16), nullable=False),
    Column("title", Text, nullable=False),
    Column("sentence", Text, nullable=False),
    Column("figures", Text, nullable=False),  # JSON: an object of numbers and texts
    Column("actions", Text, nullable=False),  # JSON: a list of [label, words, danger]
    Column("state", String(16), nullable=False),
    Column("opened_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    Column("resolved_at", UtcDateTime),
    Column("outcome", Text, nullable=False),
    Column("acknowledged_by", String(128)),
    Column("acknowledged_by_name", String(200)),
    Column("acknowledged_at", UtcDateTime),
    Column("snoozed_until", UtcDateTime),
    Column("snoozed_by_name", String(200)),
    Column("reminder_due", Boolean, nullable=False, server_default=false()),
    Column("revision", Integer, nullable=False),  # counts what people should see change
    Column("shown_revision", Integer, nullable=False),  # the one that the channel shows
    Column("channel", String(64), nullable=False),
    Column("message", String(64), nullable=False),
    Column("posting_since", UtcDateTime),  # a post was begun and its end is not known
)
# One alert a trouble, whoever watches: a second insert of the same unresolved key fails (see `database.METADATA`).
Index(
    "uq_alerts_unresolved",
    ALERTS.c.key,
    unique=True,
)
# Only what the channel does not show yet (see `database.METADATA`).
Index(
    "ix_alerts_undelivered",
    ALERTS.c.number,
)

SCHEDULE_RUNS = Table(
    "schedule_runs",
    METADATA,
    Column("name", String(64), primary_key=True),
    Column("due_at", UtcDateTime, nullable=False),  # the last moment that it was run for
)
