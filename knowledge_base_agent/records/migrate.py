"""Bring the database's schema up to date; several processes may do so at once."""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import resources

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, Engine, text

from knowledge_base_agent.records.database import open_engine

_LOCK = 0x6B625F6D  # any number, but the same in each process
_DEADLINE_SECONDS = 60.0


def migrate(database_url: str) -> None:
    """Upgrade to the newest schema, in a new SQLite file where none is.

    Waits for another process that is doing the same (60 s at most)."""
    engine = open_engine(database_url, deadline=_DEADLINE_SECONDS, create=True)
    try:
        with _alone(engine) as connection:
            config = Config()
            folder = resources.files("knowledge_base_agent.records") / "migrations"
            config.set_main_option("script_location", str(folder))
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
    finally:
        engine.dispose()


@contextmanager
def _alone(engine: Engine) -> Iterator[Connection]:
    # SQLite: `open_engine` begins with BEGIN IMMEDIATE, which is the lock. PostgreSQL: an advisory lock that
    # ends with the transaction, also when this process dies.
    with engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        yield connection
