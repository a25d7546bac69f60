"""A shell on a broker, its stores and a database, where no worker runs."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.operations.crew import Crew, crew
from tests.servers import RedisSpace


@pytest.fixture
def alone(redis_space: RedisSpace, tmp_path: Path) -> Iterator[Crew]:
    """Somebody at the shell; nobody takes what is published."""
    with crew(redis_space, tmp_path) as found:
        yield found


@pytest.fixture
def broker(redis_space: RedisSpace) -> str:
    """The broker's URL."""
    return redis_space.broker_url
