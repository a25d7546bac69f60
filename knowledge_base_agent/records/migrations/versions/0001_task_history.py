"""Task history, its counters, the agent's state and the recorder's position"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    _tasks()
    _counters()
    _states()
    _gaps()


def _tasks() -> None:
    op.create_table(
        "tasks",
        sa.Column("id", sa.String(128), nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("queue", sa.Text),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("attempt", sa.BigInteger, nullable=False),
        sa.Column("retries", sa.Integer, nullable=False),
        sa.Column("redelivered", sa.Boolean, nullable=False, server_default=sa.false()),
        sa.Column("worker", sa.Text),
        sa.Column("process_id", sa.BigInteger),
        *[
            sa.Column(f"{what}_at", _TIME)
            for what in ("published", "received", "started", "finished")
        ],
        sa.Column("updated_at", _TIME, nullable=False),
        sa.Column("eta", _TIME),
        sa.Column("time_limit", sa.Float),
        sa.Column("parent_id", sa.String(128)),
        sa.Column("root_id", sa.String(128)),
        sa.Column("args_repr", sa.Text),
        sa.Column("args_shortened", sa.Boolean, nullable=False, server_default=sa.false()),
        sa.Column("error_class", sa.Text),
        sa.Column("error_message", sa.Text),
        sa.Column("traceback", sa.Text),
        sa.PrimaryKeyConstraint("id", name="pk_tasks"),
    )
    op.create_index("ix_tasks_state_updated_at", "tasks", ["state", "updated_at"])


def _counters() -> None:
    op.create_table(
        "task_counts",
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("tasks", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("state", name="pk_task_counts"),
    )
    op.create_table(
        "task_hours",
        sa.Column("hour", _TIME, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("finished", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("hour", "state", name="pk_task_hours"),
    )


def _states() -> None:
    op.create_table(
        "agent_state",
        sa.Column("id", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("phase", sa.Text),
        sa.Column("task_id", sa.String(128)),
        sa.Column("source", sa.Text),
        sa.Column("started_at", _TIME),
        sa.Column("updated_at", _TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_agent_state"),
    )
    op.create_table(
        "recorder_state",
        sa.Column("id", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("last_id", sa.String(64), nullable=False),
        sa.Column("position", sa.BigInteger, nullable=False),
        sa.Column("lag", sa.BigInteger, nullable=False),
        sa.Column("last_event_at", _TIME),
        sa.Column("updated_at", _TIME, nullable=False),
        sa.Column("holder", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_recorder_state"),
    )


def _gaps() -> None:
    op.create_table(
        "history_gaps",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("noticed_at", _TIME, nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("lost", sa.BigInteger),
        sa.Column("detail", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_history_gaps"),
    )
