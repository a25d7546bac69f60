"""What a preview has shown, to be held against what is there at the click."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns. A preview from before has shown nothing that is known, so a click shows a new one."""
    op.add_column("confirmations", sa.Column("scope", sa.Text, nullable=False, server_default="{}"))
    op.add_column(
        "confirmations", sa.Column("fingerprint", sa.String(64), nullable=False, server_default="")
    )
