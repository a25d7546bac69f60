"""Fixtures that every layer's tests share. Servers start once a session."""

import contextlib
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest

from knowledge_base_agent.records.migrate import migrate
from tests.servers import RedisSpace, RedisSpaces, Valkey, postgres_database, valkey_server

# How long one example takes is the machine's affair: a test that is slow beside two thousand others is not wrong.
hypothesis.settings.register_profile("untimed", deadline=None)
hypothesis.settings.load_profile("untimed")


@pytest.fixture(scope="session")
def valkey() -> Iterator[Valkey]:
    """A private Valkey for the whole session."""
    with valkey_server() as server:
        yield server


@pytest.fixture(scope="session")
def redis_spaces(valkey: Valkey) -> RedisSpaces:
    """What lends databases of that Valkey; for fixtures of a wider scope than a test's."""
    return RedisSpaces(valkey)


@pytest.fixture
def redis_space(redis_spaces: RedisSpaces) -> Iterator[RedisSpace]:
    """Four Redis databases for this test alone."""
    with redis_spaces.one() as space:
        yield space


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file, to be copied: migrating takes many times longer."""
    path = tmp_path_factory.mktemp("migrated") / "kb.sqlite3"
    migrate(f"sqlite:///{path}")
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return path


@pytest.fixture
def sqlite_url(tmp_path: Path, migrated_file: Path) -> str:
    """A migrated SQLite database for this test alone."""
    path = tmp_path / "kb.sqlite3"
    shutil.copyfile(migrated_file, path)
    return f"sqlite:///{path}"


@pytest.fixture(scope="session")
def migrated_postgres() -> Iterator[str]:
    """A migrated PostgreSQL database, to be copied; skips without a server, fails in CI."""
    with postgres_database() as url:
        migrate(url)
        yield url


@pytest.fixture
def postgres_url(migrated_postgres: str) -> Iterator[str]:
    """A migrated PostgreSQL database for this test alone."""
    with postgres_database(like=migrated_postgres) as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """A migrated database of either kind, one test run each."""
    name = "sqlite_url" if request.param == "sqlite" else "postgres_url"
    url: str = request.getfixturevalue(name)
    return url
