"""The servers that an experiment uses: a Valkey of our own, SQLite, and PostgreSQL where there is one."""

import contextlib
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from knowledge_base_agent.records.migrate import migrate
from knowledge_base_agent.settings import Settings
from tests.servers import (
    RedisSpace,
    RedisSpaces,
    postgres_database,
    postgres_reachable,
    valkey_server,
)

OPERATORS = ("UOTTO", "UOLGA")


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where one experiment happens: migrated databases, and four databases of a Valkey."""

    space: RedisSpace
    sqlite_url: str
    postgres_url: str | None
    """None where no PostgreSQL answers; then the figures say so."""
    folder: Path

    @property
    def databases(self) -> dict[str, str]:
        """The databases by what people call them."""
        both = {"SQLite": self.sqlite_url, "PostgreSQL": self.postgres_url}
        return {name: url for name, url in both.items() if url}

    def settings(self, database_url: str, **more: object) -> Settings:
        """Return settings with two operators, on one of the databases.

        They press thousands of times in ten minutes, which would need a second person otherwise.
        """
        values: dict[str, object] = {
            "database_url": database_url,
            "operators": OPERATORS,
            "two_person_above": 1_000_000_000,
            "broker_url": self.space.broker_url,
            "result_backend": self.space.result_url,
            "progress_url": self.space.progress_url,
            "logs_url": self.space.logs_url,
        }
        return Settings.model_validate(values | more)


@contextlib.contextmanager
def place_of_its_own() -> Iterator[Place]:
    """Start and make everything for one experiment, and take it away afterwards."""
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="kb-trust-")))
        sqlite_url = f"sqlite:///{folder / 'kb.sqlite3'}"
        migrate(sqlite_url)
        postgres_url = None
        if postgres_reachable():
            postgres_url = stack.enter_context(postgres_database())
            migrate(postgres_url)
        valkey = stack.enter_context(valkey_server())
        space = stack.enter_context(RedisSpaces(valkey).one())
        yield Place(space=space, sqlite_url=sqlite_url, postgres_url=postgres_url, folder=folder)
