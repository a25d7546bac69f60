"""Where rows are measured: servers of their own, started for the row and ended with it."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

import redis
from sqlalchemy import Engine, text

from knowledge_base_agent.records.migrate import migrate
from tests.servers import RedisSpace, RedisSpaces, postgres_database, valkey_server


@contextmanager
def space(binary: str = "") -> Iterator[RedisSpace]:
    """Lend four databases of a private Valkey (or Redis, by its program) that serves nobody else."""
    with valkey_server(binary) as server, RedisSpaces(server).one() as lent:
        yield lent


def redis_programs() -> tuple[str, ...]:
    """Return the programs for `space`: the Valkey of the tests, and behind it the Redis installed here, if any."""
    installed = shutil.which("redis-server")
    return ("", installed) if installed else ("",)


def server_of(client: redis.Redis) -> str:
    """Return the name and the version of a server."""
    said = client.info("server")
    if "valkey_version" in said:
        return f"Valkey {said['valkey_version']}"
    return f"Redis {said['redis_version']}"


@contextmanager
def sqlite() -> Iterator[str]:
    """Lend a migrated SQLite file."""
    with tempfile.TemporaryDirectory(prefix="kb-bench-") as folder:
        url = f"sqlite:///{folder}/kb.sqlite3"
        migrate(url)
        yield url


@contextmanager
def postgres() -> Iterator[str]:
    """Lend a migrated PostgreSQL database; raises where there is no server."""
    with postgres_database(durable=True) as url:
        migrate(url)
        yield url


def settle(engine: Engine) -> None:
    """Let PostgreSQL do now what it would do by itself in the middle of what is measured; SQLite has no such habit."""
    if engine.dialect.name == "postgresql":
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("VACUUM ANALYZE tasks"))
            connection.execute(text("CHECKPOINT"))
