"""One deployment a module: a worker takes seconds to start."""

from collections.abc import Iterator

import pytest

from tests.operations.place import Place, place
from tests.servers import RedisSpaces


@pytest.fixture(scope="module")
def here(redis_spaces: RedisSpaces, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """A deployment with a worker of two slots and a recorder."""
    with redis_spaces.one() as space, place(space, tmp_path_factory.mktemp("place")) as found:
        yield found
