"""Cleared rows, as long as an undo can bring them back."""

from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
from alembic import op

from knowledge_base_agent.records.database import UtcDateTime

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "cleared_tasks",
        sa.Column(
            "number",
            sa.BigInteger().with_variant(sa.Integer, "sqlite"),
            primary_key=True,
            autoincrement=True,
        ),
        sa.Column("keepsake_id", sa.String(32), nullable=False),
        *_task_columns(),
    )


def _task_columns() -> Iterator[sa.Column[Any]]:
    text = ("queue", "worker", "args_repr", "error_class", "error_message", "traceback")
    times = ("published_at", "received_at", "started_at", "finished_at", "eta")
    yield from (
        sa.Column("id", sa.String(128), nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("attempt", sa.BigInteger, nullable=False),
        sa.Column("retries", sa.Integer, nullable=False),
        sa.Column("redelivered", sa.Boolean, nullable=False),
        sa.Column("process_id", sa.BigInteger),
        sa.Column("updated_at", UtcDateTime, nullable=False),
        sa.Column("time_limit", sa.Float),
        sa.Column("parent_id", sa.String(128)),
        sa.Column("root_id", sa.String(128)),
        sa.Column("args_shortened", sa.Boolean, nullable=False),
    )
    yield from (sa.Column(name, sa.Text) for name in text)
    yield from (sa.Column(name, UtcDateTime) for name in times)
