"""Two queues with messages in them, and a fleet that reaches them through a proxy."""

from collections.abc import Iterator

import pytest
import redis

from knowledge_base_agent.fleet import purging
from knowledge_base_agent.fleet.deadline import Deadline
from knowledge_base_agent.fleet.fleet import Fleet
from tests.closing import close_app
from tests.faults.proxy import Proxy, proxy_to
from tests.fleet.running import Site
from tests.fleet.tiny_app import tiny_app


@pytest.fixture
def broker(site: Site) -> Iterator[redis.Redis]:
    """The broker itself: two queues with messages in them."""
    with redis.Redis.from_url(site.broker_url) as client:
        client.delete("celery", "other", "celery\x06\x163")
        client.lpush("celery", *range(5))
        client.lpush("celery\x06\x163", *range(2))
        client.lpush("other", *range(3))
        yield client


@pytest.fixture
def proxy(site: Site) -> Iterator[Proxy]:
    """What stands between the fleet and the broker."""
    with proxy_to(site.broker_url) as found:
        yield found


@pytest.fixture
def fleet(site: Site, proxy: Proxy) -> Iterator[Fleet]:
    """A fleet that is connected already."""
    found = Fleet(tiny_app(proxy.url(site.broker_url), None))
    found.queues.depths(Deadline.after(5))
    yield found
    proxy.heal()
    found.close()
    close_app(found.app)


@pytest.fixture(params=["in its own thread", "in another thread"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """How a purge is made: on a connection that lives, or as if none did."""
    found = str(request.param)
    if found == "in another thread":
        monkeypatch.setattr(purging, "transact_here", lambda *_: None)
    return found
