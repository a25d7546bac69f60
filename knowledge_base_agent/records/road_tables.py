"""The tables of the road: audit entries, confirmations, runs, and the events that were seen."""

from sqlalchemy import BigInteger, Column, Date, Index, Integer, String, Table, Text

from knowledge_base_agent.records.database import METADATA, UtcDateTime

# SQLite numbers rows by itself only where the key is exactly INTEGER.
_KEY = BigInteger().with_variant(Integer, "sqlite")

AUDIT = Table(
    "audit_entries",
    METADATA,
    # The place in the chain, without gaps: given by `audit_chain`, not by the database.
    Column("id", _KEY, primary_key=True, autoincrement=False),
    Column("at", UtcDateTime, nullable=False),
    Column("actor_id", String(128), nullable=False),
    Column("actor_name", String(200), nullable=False),
    Column("surface", String(16), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("operation", String(64), nullable=False),
    Column("words", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Column("run_id", String(32)),
    Column("confirmation_id", String(32)),
    Column("place", String(64), nullable=False),
    Column("seal", String(64), nullable=False),
    Column("tried_at", UtcDateTime),
    Column("posted_at", UtcDateTime),
)
# Only what still waits for the audit channel (see `database.METADATA`): stays small however long the audit is.
Index(
    "ix_audit_entries_unposted",
    AUDIT.c.id,
)

AUDIT_HEAD = Table(
    "audit_head",
    METADATA,
    # One row: whoever appends to the chain holds it until its transaction ends.
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("number", _KEY, nullable=False),
    Column("seal", String(64), nullable=False),
    Column("day", Date),
    Column("named", _KEY, nullable=False),
)

CONFIRMATIONS = Table(
    "confirmations",
    METADATA,
    Column("id", String(32), primary_key=True),
    Column("operation", String(64), nullable=False),
    Column("words", Text, nullable=False),
    Column("target", Text, nullable=False),
    Column("scope", Text, nullable=False),
    Column("fingerprint", String(64), nullable=False),
    Column("asked", String(64), nullable=False),
    Column("asked_by", String(128), nullable=False),
    Column("asked_by_name", String(200), nullable=False),
    Column("surface", String(16), nullable=False),
    Column("asked_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
    Column("state", String(16), nullable=False),
    Column("settled_by", String(128)),
    Column("settled_by_name", String(200)),
    Column("settled_at", UtcDateTime),
    Column("place", String(64), nullable=False),
    Column("message", String(64), nullable=False),
    Column("run_id", String(32)),
    Column("reason", Text, nullable=False, server_default=""),
    Column("why_two", Text, nullable=False, server_default=""),  # empty where one person is enough
    Column(
        "alone_from", UtcDateTime
    ),  # when its asker may confirm it alone: the glass is being broken
    Index("ix_confirmations_state_expires_at", "state", "expires_at"),
)

RUNS = Table(
    "runs",
    METADATA,
    # The person's "op-12" is number 12: the database alone hands out numbers, so two processes never share one.
    Column("number", _KEY, primary_key=True, autoincrement=True),
    Column("operation", String(64), nullable=False),
    Column("words", Text, nullable=False),
    Column("actor_id", String(128), nullable=False),
    Column("actor_name", String(200), nullable=False),
    Column("surface", String(16), nullable=False),
    Column("state", String(16), nullable=False),
    Column("started_at", UtcDateTime, nullable=False),
    Column("beat_at", UtcDateTime, nullable=False),
    Column("ended_at", UtcDateTime),
    Column("outcome", Text, nullable=False),
    Column("place", String(64), nullable=False),
    Column("message", String(64), nullable=False),
    Column("asked", String(64), nullable=False),
    Column("scope", String(64), nullable=False),
    Index("ix_runs_state_beat_at", "state", "beat_at"),
    Index("ix_runs_actor_id_number", "actor_id", "number"),
)

SEEN_EVENTS = Table(
    "seen_events",
    METADATA,
    Column("id", String(200), primary_key=True),
    Column("seen_at", UtcDateTime, nullable=False),
    Index("ix_seen_events_seen_at", "seen_at"),
)

GLASS_ALARMS = Table(
    "glass_alarms",
    METADATA,
    Column("confirmation_id", String(32), primary_key=True),
    Column(
        "told", String(8), nullable=False
    ),  # what was told last; glass.py says what follows what
    Column("channel", String(64), nullable=False),
    Column("message", String(64), nullable=False),
    Column("telling_since", UtcDateTime),  # while a bot tells what follows
)
