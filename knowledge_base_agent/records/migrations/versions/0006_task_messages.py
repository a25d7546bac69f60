"""Kept task messages, and which task was sent again as which."""

import sqlalchemy as sa
from alembic import op

from knowledge_base_agent.records.database import UtcDateTime

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the two tables."""
    op.create_table(
        "task_messages",
        sa.Column("id", sa.String(128), primary_key=True),
        sa.Column("queue", sa.Text),
        sa.Column("message", sa.Text, nullable=False),
    )
    op.create_table(
        "task_retries",
        sa.Column("new_id", sa.String(128), primary_key=True),
        sa.Column("old_id", sa.String(128), nullable=False),
        sa.Column("retried_at", UtcDateTime, nullable=False),
    )
    op.create_index("ix_task_retries_old_id", "task_retries", ["old_id"])
