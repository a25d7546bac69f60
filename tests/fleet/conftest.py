"""What the fleet's tests share."""

from collections.abc import Callable, Iterator

import pytest

from knowledge_base_agent.fleet.fleet import Fleet
from tests.faults.proxy import Proxy, proxy_to
from tests.fleet.running import Site
from tests.servers import RedisSpaces


@pytest.fixture(scope="module")
def site(redis_spaces: RedisSpaces, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A broker for this module alone; what is started on it ends with the module."""
    with redis_spaces.one() as space:
        place = Site.on(space, tmp_path_factory.mktemp("workers"))
        yield place
        place.stop()


@pytest.fixture
def between(site: Site) -> Iterator[Proxy]:
    """What stands between an asker and the broker of `site`."""
    with proxy_to(site.broker_url) as proxy:
        yield proxy


@pytest.fixture
def open_fleet(site: Site) -> Iterator[Callable[[], Fleet]]:
    """What makes fleets that know nobody yet, and closes them."""
    fleets: list[Fleet] = []

    def make(name: str = "tiny") -> Fleet:
        fleets.append(site.fleet(name))
        return fleets[-1]

    yield make
    for fleet in fleets:
        fleet.close()


@pytest.fixture
def fleet(open_fleet: Callable[[], Fleet]) -> Fleet:
    """A fleet that knows nobody yet."""
    return open_fleet()
