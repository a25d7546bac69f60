"""The road: audit entries, confirmations, runs, seen events."""

import sqlalchemy as sa
from alembic import op

from knowledge_base_agent.records.database import UtcDateTime

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_KEY = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """Create the four tables."""
    _audit()
    _confirmations()
    _runs()
    op.create_table(
        "seen_events",
        sa.Column("id", sa.String(200), primary_key=True),
        sa.Column("seen_at", UtcDateTime, nullable=False),
    )
    op.create_index("ix_seen_events_seen_at", "seen_events", ["seen_at"])


def _audit() -> None:
    op.create_table(
        "audit_entries",
        sa.Column("id", _KEY, primary_key=True, autoincrement=True),
        sa.Column("at", UtcDateTime, nullable=False),
        sa.Column("actor_id", sa.String(128), nullable=False),
        sa.Column("actor_name", sa.String(200), nullable=False),
        sa.Column("surface", sa.String(16), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("operation", sa.String(64), nullable=False),
        sa.Column("words", sa.Text, nullable=False),
        sa.Column("detail", sa.Text, nullable=False),
        sa.Column("run_id", sa.String(32)),
        sa.Column("confirmation_id", sa.String(32)),
        sa.Column("place", sa.String(64), nullable=False),
        sa.Column("posted_at", UtcDateTime),
    )
    waiting = sa.text("posted_at IS NULL")
    op.create_index(
        "ix_audit_entries_unposted",
        "audit_entries",
        ["id"],
        sqlite_where=waiting,
        postgresql_where=waiting,
    )


def _confirmations() -> None:
    op.create_table(
        "confirmations",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("operation", sa.String(64), nullable=False),
        sa.Column("words", sa.Text, nullable=False),
        sa.Column("target", sa.Text, nullable=False),
        sa.Column("asked_by", sa.String(128), nullable=False),
        sa.Column("asked_by_name", sa.String(200), nullable=False),
        sa.Column("surface", sa.String(16), nullable=False),
        sa.Column("asked_at", UtcDateTime, nullable=False),
        sa.Column("expires_at", UtcDateTime, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("settled_by", sa.String(128)),
        sa.Column("settled_by_name", sa.String(200)),
        sa.Column("settled_at", UtcDateTime),
        sa.Column("place", sa.String(64), nullable=False),
        sa.Column("message", sa.String(64), nullable=False),
        sa.Column("run_id", sa.String(32)),
    )
    op.create_index("ix_confirmations_state_expires_at", "confirmations", ["state", "expires_at"])


def _runs() -> None:
    op.create_table(
        "runs",
        sa.Column("number", _KEY, primary_key=True, autoincrement=True),
        sa.Column("operation", sa.String(64), nullable=False),
        sa.Column("words", sa.Text, nullable=False),
        sa.Column("actor_id", sa.String(128), nullable=False),
        sa.Column("actor_name", sa.String(200), nullable=False),
        sa.Column("surface", sa.String(16), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("started_at", UtcDateTime, nullable=False),
        sa.Column("beat_at", UtcDateTime, nullable=False),
        sa.Column("ended_at", UtcDateTime),
        sa.Column("outcome", sa.Text, nullable=False),
        sa.Column("place", sa.String(64), nullable=False),
        sa.Column("message", sa.String(64), nullable=False),
    )
    op.create_index("ix_runs_state_beat_at", "runs", ["state", "beat_at"])
