"""The proxy itself: what the other tests of this folder rely on."""

import contextlib
import time
from collections.abc import Iterator

import pytest
import redis

from tests.faults.proxy import Proxy, proxy_to
from tests.servers import RedisSpace


@pytest.fixture
def proxy(redis_space: RedisSpace) -> Iterator[Proxy]:
    """A proxy before Valkey."""
    with proxy_to(redis_space.broker_url) as found:
        yield found


@pytest.fixture
def client(proxy: Proxy, redis_space: RedisSpace) -> Iterator[redis.Redis]:
    """A client that does nothing twice and waits half a second."""
    url = proxy.url(redis_space.broker_url)
    with contextlib.closing(redis.Redis.from_url(url, socket_timeout=0.5, retry=None)) as found:
        yield found


def test_it_delays_and_goes_black_and_comes_back(proxy: Proxy, client: redis.Redis) -> None:
    assert client.set("a", "1")
    proxy.delay(0.1)
    began = time.monotonic()
    assert client.get("a") == b"1"
    assert time.monotonic() - began >= 0.2
    proxy.heal()
    proxy.black_hole()
    with pytest.raises(redis.TimeoutError):
        client.get("a")
    proxy.heal()
    assert client.get("a") == b"1"


def test_it_cuts_and_refuses_and_comes_back(proxy: Proxy, client: redis.Redis) -> None:
    first = client.client_id()
    proxy.cut()
    assert client.client_id() != first, "it is another connection"
    proxy.refuse()
    for _ in range(2):
        with pytest.raises(redis.ConnectionError):
            client.ping()
    proxy.heal()
    assert client.ping()


def test_it_cuts_before_a_word_and_only_once(
    proxy: Proxy, client: redis.Redis, redis_space: RedisSpace
) -> None:
    client.ping()
    proxy.cut_at(b"RPUSH")
    with pytest.raises(redis.ConnectionError):
        client.rpush("list", "x")
    with redis.Redis.from_url(redis_space.broker_url) as direct:
        assert direct.llen("list") == 0, "the server did not get it"
    assert client.rpush("list", "x") == 1
