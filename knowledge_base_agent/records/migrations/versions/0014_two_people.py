"""Two people: why a preview needs them, the stated reason, and the alarms of those who break the glass."""

import sqlalchemy as sa
from alembic import op

from knowledge_base_agent.records.database import UtcDateTime

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns and create the table."""
    for name in ("reason", "why_two"):
        op.add_column("confirmations", sa.Column(name, sa.Text, nullable=False, server_default=""))
    op.add_column("confirmations", sa.Column("alone_from", UtcDateTime))
    op.create_table(
        "glass_alarms",
        sa.Column("confirmation_id", sa.String(32), primary_key=True),
        sa.Column("told", sa.String(8), nullable=False),
        sa.Column("channel", sa.String(64), nullable=False),
        sa.Column("message", sa.String(64), nullable=False),
    )
