"""Leases: what only one process may do at a time."""

import sqlalchemy as sa
from alembic import op

from knowledge_base_agent.records.database import UtcDateTime

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table of leases."""
    op.create_table(
        "leases",
        sa.Column("name", sa.String(64), primary_key=True),
        sa.Column("holder", sa.String(128), nullable=False),
        sa.Column("until", UtcDateTime, nullable=False),
    )
