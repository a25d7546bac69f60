"""Fixtures of the records' tests."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine

from knowledge_base_agent.records.database import open_engine
from knowledge_base_agent.records.migrate import migrate
from tests.records.deployment import Running, running
from tests.servers import RedisSpaces


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """An engine of either database."""
    opened = open_engine(database_url)
    yield opened
    opened.dispose()


@pytest.fixture
def sqlite(sqlite_url: str) -> Iterator[Engine]:
    """SQLite alone, where the database is not what is tested."""
    opened = open_engine(sqlite_url)
    yield opened
    opened.dispose()


@pytest.fixture(scope="package")
def deployment(
    redis_spaces: RedisSpaces, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Running]:
    """One worker and one recorder that all tests of this folder share; each task is a test's own."""
    url = f"sqlite:///{tmp_path_factory.mktemp('history') / 'kb.sqlite3'}"
    migrate(url)
    with redis_spaces.one() as space, running(space, url) as started:
        yield started
