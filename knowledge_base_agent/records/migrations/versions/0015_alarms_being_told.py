"""Since when an alarm is being told, so that one whose bot dies is told by another."""

import sqlalchemy as sa
from alembic import op

from knowledge_base_agent.records.database import UtcDateTime

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column."""
    op.add_column("glass_alarms", sa.Column("telling_since", UtcDateTime))
