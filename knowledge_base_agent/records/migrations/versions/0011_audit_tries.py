"""When an entry was about to be posted, so that a bot that takes over can label what may stand there already."""

import sqlalchemy as sa
from alembic import op

from knowledge_base_agent.records.database import UtcDateTime

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column."""
    op.add_column("audit_entries", sa.Column("tried_at", UtcDateTime))
