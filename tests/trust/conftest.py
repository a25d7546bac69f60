"""What the short forms of the experiments share with every other test: servers that run already."""

import os
from pathlib import Path

import pytest

from tests.servers import RedisSpace, postgres_reachable
from tests.trust.place import Place

SEED = int(os.environ.get("KB_TRUST_SEED", "7"))


@pytest.fixture
def place(
    request: pytest.FixtureRequest, redis_space: RedisSpace, sqlite_url: str, tmp_path: Path
) -> Place:
    """Fresh databases and a part of the session's Valkey, for one experiment."""
    postgres = request.getfixturevalue("postgres_url") if postgres_reachable() else None
    return Place(space=redis_space, sqlite_url=sqlite_url, postgres_url=postgres, folder=tmp_path)


@pytest.fixture
def seed() -> int:
    """The seed of the short forms; KB_TRUST_SEED gives another."""
    return SEED


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give what starts dozens of processes longer than other tests have: a busy machine must not fail them."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.timeout(300))
