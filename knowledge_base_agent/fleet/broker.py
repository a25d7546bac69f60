"""The broker itself, behind kombu's own reading of the app's settings: keys, priorities, prefixes."""

import threading
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import redis
from celery import Celery
from kombu import Connection
from kombu.transport import redis as kombu_redis
from msgspec import Struct

from knowledge_base_agent.fleet.line import open_connection
from knowledge_base_agent.problems import Away

_OPENING_SECONDS = 0.1
"""How long a connection that is being opened is waited for before it is closed."""


class RedisKeys(Struct, frozen=True, kw_only=True):
    """How this app's settings name things in Redis."""

    prefix: str
    """`global_keyprefix`: before every key."""
    separator: str
    """Between a queue's name and a priority, and inside the members of a binding set."""
    steps: tuple[int, ...]
    """The priorities that have a list of their own."""
    unacked: str | None
    """The hash of messages that workers have and did not acknowledge; None where that is turned off."""
    unacked_index: str
    visibility_seconds: float

    def lists(self, queue: str) -> tuple[tuple[int, str], ...]:
        """Return the lists of one queue with their priorities; the queue's own name is the lowest step's."""
        return tuple(
            (step, self.prefix + (f"{queue}{self.separator}{step}" if step else queue))
            for step in self.steps
        )

    def binding(self, exchange: str) -> str:
        """Return the key of the set that lists the queues of an exchange."""
        return f"{self.prefix}_kombu.binding.{exchange}"

    def bound_queue(self, member: bytes) -> tuple[str, str]:
        """Return the queue and the routing key that a member of such a set names."""
        parts = member.decode("utf-8", "replace").split(self.separator)
        return parts[-1], parts[0]


@dataclass(frozen=True, kw_only=True)
class RedisBroker:
    """A plain client of the broker's Redis, and the names to use with it. The client is safe to share."""

    client: redis.Redis
    keys: RedisKeys


class Broker:
    """The one lasting connection for looking at queues. Made once a process; safe to use from many threads."""

    def __init__(self, app: Celery) -> None:
        self._app = app
        self._lock = threading.Lock()
        self._connection: Connection | None = None
        self._redis: RedisBroker | None = None
        self._left = False
        """Whether it was closed while the connection was being opened."""

    @cached_property
    def is_redis(self) -> bool:
        """Return whether the broker is a Redis of any kind (plain, TLS, Sentinel). Asks nobody."""
        connection: Connection = self._app.connection_for_write()
        return issubclass(connection.get_transport_cls(), kombu_redis.Transport)

    @property
    def known(self) -> RedisBroker | None:
        """Return the client and the keys without a wait; None before the first connection, and after the last."""
        return self._redis

    def redis(self) -> RedisBroker:
        """Return the client and the keys; opens the connection the first time. Blocks: call it behind a deadline."""
        with self._lock:
            if self._redis is None:
                self._left = False
                self._connection = open_connection(self._app, {"max_connections": 64})
                channel: Any = self._connection.channel()
                self._redis = RedisBroker(
                    client=redis.Redis(connection_pool=channel.pool), keys=_keys(channel)
                )
            found = self._redis
        if self._left:
            self.close()
            raise Away("The broker was let go of.", "Ask again.", source="the broker")
        return found

    def close(self) -> None:
        """Close the connection, if there is one. One that is being opened is not waited for: it ends when it opens."""
        if not self._lock.acquire(timeout=_OPENING_SECONDS):
            self._left = True
            if not self._lock.acquire(blocking=False):
                return
        try:
            connection, self._connection, self._redis = self._connection, None, None
            self._left = False
        finally:
            self._lock.release()
        if connection is not None:
            connection.release()


def _keys(channel: Any) -> RedisKeys:
    steps: Iterable[int] = channel.priority_steps
    return RedisKeys(
        prefix=channel.global_keyprefix,
        separator=channel.sep,
        steps=tuple(steps),
        unacked=channel.global_keyprefix + channel.unacked_key if channel.ack_emulation else None,
        unacked_index=channel.global_keyprefix + channel.unacked_index_key,
        visibility_seconds=float(channel.visibility_timeout),
    )
