"""Rows that were cleared and can come back stay where they are, and are hidden."""

import sqlalchemy as sa
from alembic import op

from knowledge_base_agent.records.database import UtcDateTime

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "clearings",
        sa.Column(
            "number",
            sa.BigInteger().with_variant(sa.Integer, "sqlite"),
            primary_key=True,
            autoincrement=True,
        ),
        sa.Column("keepsake_id", sa.String(32), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("since", UtcDateTime),
        sa.Column("until", UtcDateTime, nullable=False),
        sa.Column("hides", sa.BigInteger, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_clearings_keepsake_id", "clearings", ["keepsake_id"])
    op.create_table(
        "spared_tasks",
        sa.Column("clearing", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("id", sa.String(128), primary_key=True),
    )
