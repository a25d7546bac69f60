"""The watcher: alerts, and the schedules that have run."""

import sqlalchemy as sa
from alembic import op

from knowledge_base_agent.records.database import UtcDateTime

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_KEY = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """Create the two tables."""
    _alerts()
    _index("uq_alerts_unresolved", "key", "resolved_at IS NULL", unique=True)
    _index("ix_alerts_undelivered", "number", "revision != shown_revision", unique=False)
    op.create_table(
        "schedule_runs",
        sa.Column("name", sa.String(64), primary_key=True),
        sa.Column("due_at", UtcDateTime, nullable=False),
    )


def _alerts() -> None:
    op.create_table(
        "alerts",
        sa.Column("number", _KEY, primary_key=True, autoincrement=True),
        sa.Column("key", sa.String(300), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("subject", sa.String(255), nullable=False),
        sa.Column("severity", sa.String(16), nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("sentence", sa.Text, nullable=False),
        sa.Column("figures", sa.Text, nullable=False),
        sa.Column("actions", sa.Text, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("opened_at", UtcDateTime, nullable=False),
        sa.Column("updated_at", UtcDateTime, nullable=False),
        sa.Column("resolved_at", UtcDateTime),
        sa.Column("outcome", sa.Text, nullable=False),
        sa.Column("acknowledged_by", sa.String(128)),
        sa.Column("acknowledged_by_name", sa.String(200)),
        sa.Column("acknowledged_at", UtcDateTime),
        sa.Column("snoozed_until", UtcDateTime),
        sa.Column("snoozed_by_name", sa.String(200)),
        sa.Column("reminder_due", sa.Boolean, nullable=False, server_default=sa.false()),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("shown_revision", sa.Integer, nullable=False),
        sa.Column("channel", sa.String(64), nullable=False),
        sa.Column("message", sa.String(64), nullable=False),
        sa.Column("posting_since", UtcDateTime),
    )


def _index(name: str, column: str, where: str, *, unique: bool) -> None:
    only = sa.text(where)
    op.create_index(
        name, "alerts", [column], unique=unique, sqlite_where=only, postgresql_where=only
    )
