"""What was asked for, by which a repetition is known."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns; empty in runs and confirmations from before."""
    for table, name in (("confirmations", "asked"), ("runs", "asked"), ("runs", "scope")):
        column = sa.Column(name, sa.String(64), nullable=False, server_default="")
        op.add_column(table, column)
    op.create_index("ix_runs_actor_id_number", "runs", ["actor_id", "number"])
