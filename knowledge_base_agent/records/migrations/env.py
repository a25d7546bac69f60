"""Alembic's entry: runs the migrations on the connection that `migrate` has locked."""

from alembic import context

from knowledge_base_agent.records.database import METADATA

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    transactional_ddl=True,
    render_as_batch=True,
)
context.run_migrations()
