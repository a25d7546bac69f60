"""Standing orders: paused queues and revoked tasks, as told to workers that join."""

import sqlalchemy as sa
from alembic import op

from knowledge_base_agent.records.database import UtcDateTime

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create both tables."""
    op.create_table(
        "pauses",
        sa.Column("kind", sa.String(16), primary_key=True),
        sa.Column("subject", sa.String(255), primary_key=True),
        sa.Column("at", UtcDateTime, nullable=False),
        sa.Column("by", sa.String(200), nullable=False),
        sa.Column("until", UtcDateTime),
        sa.Column("ended_at", UtcDateTime),
        sa.Column("ended_by", sa.String(200)),
        sa.Column("workers", sa.Text, nullable=False),
    )
    op.create_table(
        "revoked_tasks",
        sa.Column("id", sa.String(128), primary_key=True),
        sa.Column("at", UtcDateTime, nullable=False),
        sa.Column("by", sa.String(200), nullable=False),
        sa.Column("terminate", sa.Boolean, nullable=False),
        sa.Column("settled_at", UtcDateTime),
    )
    unsettled = sa.text("settled_at IS NULL")
    op.create_index(
        "ix_revoked_tasks_unsettled",
        "revoked_tasks",
        ["id"],
        sqlite_where=unsettled,
        postgresql_where=unsettled,
    )
