"""The replies to our questions on Redis: one list, waited for by BRPOP on a connection that does nothing else.

Kombu's own way to wait (a poller over all channels) takes longer over a reply than the server does to bring it.
"""

import contextlib
import time
from collections.abc import Iterator
from typing import Any

from redis.exceptions import ConnectionError as Gone
from redis.exceptions import ResponseError
from redis.exceptions import TimeoutError as NothingYet

from knowledge_base_agent.fleet.receivers import SOCKET_SECONDS, CountingChannel

_MANY = 24
"""From so many outstanding replies on, those that wait already are fetched together: one by one, each takes a round
trip; for fewer, asking whether more wait costs more than it saves."""


class RedisReplies:
    """One reply queue and its address; used by one thread at a time."""

    def __init__(self, channel: CountingChannel, queue: str, exchange: str, key: str) -> None:
        self._channel = channel
        self._poller: Any = channel.connection.cycle
        self._list: str = channel.prefixed("RPOP", queue)[1]
        self._binding = (
            "SADD",
            channel.keyprefix_queue % exchange,
            channel.sep.join((key, "", queue)),
        )
        # Kombu's own pool for waiting: the other one may be limited to the one connection that broadcasts.
        self._pool: Any = channel.client.connection_pool
        self._connection: Any = None
        self._since: float | None = None
        """When the BRPOP that is out was sent; None if none is. A server answers it in time, be it with nothing."""
        self._fresh = True
        """Whether nothing was waited for since the last question went out."""
        self._together = True

    @contextlib.contextmanager
    def addressed(self, *, reads: bool) -> Iterator[None]:
        """Hold a connection for the one question that is broadcast within, and bind the address of its replies anew.

        A Redis that was emptied has lost it, and every worker would look silent. For what `reads` it goes out in one
        write with the question, and listening begins while the server passes that on; what changes something is sent
        when the address is there and somebody listens, and not otherwise.
        """
        self._fresh = True
        with self._channel.speaking():
            if reads:
                self._channel.first, self._channel.meanwhile = (self._binding,), self._listen
            else:
                self._listen()
                self._channel.say(self._binding)
            yield

    def wait(self, seconds: float, outstanding: int) -> list[bytes]:
        """Return the next reply, and those that wait behind it where many are `outstanding`; none after `seconds`."""
        first = self._next(seconds)
        if first is None:
            return []
        if not self._together or outstanding <= _MANY:
            return [first]
        try:
            return [first, *self.take_waiting(outstanding - 1)]
        except ResponseError:
            self._together = False  # a Redis before 6.2: nothing was taken, so one by one as before
            return [first]

    def take_waiting(self, most: int) -> list[bytes]:
        """Take what already waits. Raises `redis.ResponseError` before Redis 6.2, whose RPOP takes no count."""
        self._connection.send_command("RPOP", self._list, most)
        return self._connection.read_response() or []

    def rest(self) -> None:
        """Give the connection back until the next question, unless a BRPOP is out: its pool looks whether it lives."""
        if self._connection is not None and self._since is None:
            connection, self._connection = self._connection, None
            self._pool.release(connection)

    def _next(self, seconds: float) -> bytes | None:
        since = self._listen()
        if self._fresh:
            self._fresh = False
            # As kombu's poller does: it keeps tables of bindings from being swept as forgotten.
            self._poller.maybe_refresh_binding_expiry()
        try:
            said = self._connection.read_response(timeout=seconds, disconnect_on_error=False)
        except NothingYet as error:
            # What came of a reply so far stays with the connection.
            if time.monotonic() - since > self._channel.brpop_timeout + SOCKET_SECONDS:
                raise Gone("BRPOP was not answered") from error
            return None
        self._since = None
        return None if said is None else said[1]

    def _listen(self) -> float:
        """Send a BRPOP, unless one is out; return when that was."""
        if self._since is None:
            if self._connection is None:
                self._connection = self._pool.get_connection()
            self._connection.send_command("BRPOP", self._list, self._channel.brpop_timeout)
            self._since = time.monotonic()
        return self._since
