"""Keepsakes: what runs have put aside, so that it can be brought back."""

import sqlalchemy as sa
from alembic import op

from knowledge_base_agent.records.database import UtcDateTime

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "keepsakes",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("run_id", sa.String(32), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("kept", sa.Text, nullable=False),
        sa.Column("number", sa.BigInteger),
        sa.Column("bytes", sa.BigInteger),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("kept_at", UtcDateTime, nullable=False),
        sa.Column("expires_at", UtcDateTime, nullable=False),
        sa.Column("undone_by", sa.String(32)),
        sa.Column("freed_at", UtcDateTime),
    )
    op.create_index("ix_keepsakes_run_id", "keepsakes", ["run_id"])
    op.create_index("ix_keepsakes_freed_at_expires_at", "keepsakes", ["freed_at", "expires_at"])
