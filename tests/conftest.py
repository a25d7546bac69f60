"""Fixtures that every layer's tests share. Servers start once a session."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from knowledge_base_agent.records.migrate import migrate
from tests.servers import RedisSpace, RedisSpaces, Valkey, postgres_database, valkey_server


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


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """A migrated SQLite database for this test alone."""
    url = f"sqlite:///{tmp_path / 'kb.sqlite3'}"
    migrate(url)
    return url


@pytest.fixture
def postgres_url() -> Iterator[str]:
    """A migrated PostgreSQL database for this test alone; skips without a server, fails in CI."""
    with postgres_database() as url:
        migrate(url)
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """A migrated database of either kind, one test run each."""
    name = "sqlite_url" if request.param == "sqlite" else "postgres_url"
    url: str = request.getfixturevalue(name)
    return url
