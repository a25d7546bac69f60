"""The table of cleared rows: whole rows of `tasks`, kept as long as an undo can bring them back."""

from sqlalchemy import BigInteger, Column, Integer, String, Table

from knowledge_base_agent.records.database import METADATA
from knowledge_base_agent.records.tables import TASKS

CLEARED_TASKS = Table(
    "cleared_tasks",
    METADATA,
    # Ascending, so that a step is a range of it, and writing goes to the end of table and index alone.
    Column("number", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("keepsake_id", String(32), nullable=False),
    *(Column(one.name, one.type, nullable=one.nullable) for one in TASKS.columns),
)
