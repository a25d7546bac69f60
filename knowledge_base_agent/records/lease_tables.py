"""The table of leases: which process does what only one may do at a time."""

from sqlalchemy import Column, String, Table

from knowledge_base_agent.records.database import METADATA, UtcDateTime

LEASES = Table(
    "leases",
    METADATA,
    Column("name", String(64), primary_key=True),
    Column("holder", String(128), nullable=False),
    Column("until", UtcDateTime, nullable=False),
)
