"""A deployment whose workers a test starts and kills itself."""

from collections.abc import Iterator

import pytest

from knowledge_base_agent.deployment import Deployment, open_deployment
from tests.fleet.running import Site
from tests.records.deployment import settings_for
from tests.servers import RedisSpace, RedisSpaces


@pytest.fixture(scope="module")
def site(redis_spaces: RedisSpaces, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A broker for this module alone."""
    with redis_spaces.one() as space:
        place = Site.on(space, tmp_path_factory.mktemp("watched"))
        yield place
        place.stop()


@pytest.fixture
def deployment(site: Site, sqlite_url: str) -> Iterator[Deployment]:
    """A deployment on that broker, with an impatient watcher and a database of this test's own."""
    space = RedisSpace(
        broker_url=site.broker_url,
        result_url=site.result_url,
        progress_url=site.ledger_url,
        logs_url=site.ledger_url,
    )
    settings = settings_for(space, sqlite_url, alert_running_seconds=1.0, watch_seconds=1)
    opened = open_deployment(settings, site.app())
    yield opened
    opened.close()
