"""Which schema the database has, and which one this program was written for."""

from functools import cache
from importlib import resources

from sqlalchemy import Connection

# Alembic is loaded where it is used: it takes as long as all of SQLAlchemy, and every word of the shell would wait.


def schema_revision(connection: Connection) -> str | None:
    """Return the newest migration that the database has had; None when it has had none."""
    from alembic.migration import MigrationContext

    return MigrationContext.configure(connection).get_current_revision()


@cache
def newest_revision() -> str | None:
    """Return the newest migration that this program knows."""
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    folder = resources.files("knowledge_base_agent.records") / "migrations"
    config.set_main_option("script_location", str(folder))
    return ScriptDirectory.from_config(config).get_current_head()
