"""How each configured Redis is: memory, eviction, latency. A full or evicting Redis loses or refuses tasks."""

import threading
import time
from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import partial
from typing import Any

import redis
from msgspec import Struct
from redis.backoff import NoBackoff
from redis.retry import Retry

from knowledge_base_agent.fleet.away import away_if_down
from knowledge_base_agent.fleet.deadline import Deadline, Unknown, gather
from knowledge_base_agent.fleet.receivers import CONNECT_SECONDS, SOCKET_SECONDS

_SCHEMES = ("redis://", "rediss://", "unix://")


class RedisState(Struct, frozen=True, kw_only=True):
    """What one Redis says of itself. Sizes in bytes."""

    version: str | None
    latency: timedelta
    """One PING, there and back."""
    used_memory: int | None
    max_memory: int | None
    """0 is without limit."""
    policy: str | None
    """What it does when memory is full: `noeviction` refuses to write, `allkeys-…` drops whatever it likes."""
    evicted_keys: int | None
    """Keys dropped for want of memory since it started."""

    @property
    def may_evict_queues(self) -> bool | None:
        """Return whether a full memory could cost queued tasks; None if the policy is not known."""
        if self.policy is None:
            return None
        return self.policy.startswith("allkeys")


class RedisClients:
    """One client for each URL, with limits on every blocking step; safe to use from many threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._clients: dict[str, redis.Redis] = {}

    def of(self, url: str) -> redis.Redis:
        """Return the client for a URL. Connects to nobody yet."""
        with self._lock:
            if url not in self._clients:
                self._clients[url] = redis.Redis.from_url(
                    url,
                    socket_timeout=SOCKET_SECONDS,
                    socket_connect_timeout=CONNECT_SECONDS,
                    retry=Retry(NoBackoff(), 0),
                )
            return self._clients[url]

    def close(self) -> None:
        """Close them all."""
        with self._lock:
            clients, self._clients = self._clients, {}
        for client in clients.values():
            client.close()


def is_redis_url(url: str | None) -> bool:
    """Tell whether a URL is one of a plain Redis, over TCP, TLS or a socket."""
    return bool(url) and str(url).startswith(_SCHEMES)


def read_states(
    deadline: Deadline, clients: RedisClients, urls: Mapping[str, str]
) -> dict[str, RedisState | Unknown]:
    """Ask each Redis at once; `urls` by what it is for. One that is away is `Unknown`, and delays no other."""
    called = {role: _called(role) for role, url in urls.items() if is_redis_url(url)}
    calls: dict[str, Callable[[], RedisState]] = {
        source: partial(_read, clients.of(urls[role]), source) for role, source in called.items()
    }
    states = gather(deadline, calls)
    others = {role: Unknown(reason=f"{role} is no Redis.") for role in urls.keys() - called}
    return {role: states[source] for role, source in called.items()} | others


def _called(role: str) -> str:
    """Return what people call a Redis in a sentence that stands as `broker`, or `progress, logs`, in a list."""
    return role if role.startswith("the ") else f"the Redis of {role}"


def _read(client: redis.Redis, source: str) -> RedisState:
    with away_if_down(source):
        latency = ping(client)
        info: dict[str, Any] = client.info("everything")
    return RedisState(
        version=info.get("valkey_version") or info.get("redis_version"),
        latency=latency,
        used_memory=info.get("used_memory"),
        max_memory=info.get("maxmemory"),
        policy=info.get("maxmemory_policy"),
        evicted_keys=info.get("evicted_keys"),
    )


def ping(client: redis.Redis) -> timedelta:
    """Return how long one PING takes, there and back."""
    started = time.perf_counter()
    client.ping()
    return timedelta(seconds=time.perf_counter() - started)
