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

from knowledge_base_agent.fleet.away import DRIVER_ERRORS
from knowledge_base_agent.fleet.deadline import Deadline
from knowledge_base_agent.fleet.receivers import SOCKET_SECONDS, CountingChannel, can_read, read_by

_MANY = 24
"""From so many outstanding replies on, those that wait already are fetched together: one by one, each takes a round
trip; for fewer, asking whether more wait costs more than it saves."""
_TENDED_SECONDS = 5.0
"""After so long a connection is looked after by whoever may wait for it, before it is used by whoever may not."""


class RedisReplies:
    """One reply queue and its address; used by one thread at a time."""

    def __init__(self, channel: CountingChannel, queue: str, exchange: str, key: str) -> None:
        self._channel = channel
        self._poller: Any = channel.connection.cycle
        self._wait = ("BRPOP", queue, channel.brpop_timeout)
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
        """When the word that is out was sent, a BRPOP or an RPOP; None if none is. A server answers it in time."""
        self._many = False
        """Whether that is an RPOP, which brings all that waits."""
        self._tended = 0.0
        self._together = True

    def ready(self) -> bool:
        """Tell, without waiting, whether a question can go out at once: its connection lives and owes nothing."""
        connection = self._connection
        if connection is None or self._since is not None or not connection.is_connected:
            return False
        if time.monotonic() - self._tended > _TENDED_SECONDS:
            return False
        try:
            return not can_read(connection, 0)
        except DRIVER_ERRORS:
            return False

    @contextlib.contextmanager
    def addressed(self, reads: bool, until: Deadline | None) -> Iterator[None]:
        """Hold a connection for the one question that is broadcast within, and bind the address of its replies anew.

        A Redis that was emptied has lost it, and every worker would look silent. For what `reads` it goes out in one
        write with the question, and with the wait for the first reply; what changes something is sent when the address
        is there and somebody listens, and not otherwise. With `until`, on a connection that is `ready`, nothing here
        waits for longer.
        """
        if until is None:
            self._tend()
        channel = self._channel
        if reads and self._since is None:
            with channel.speaking(self._connection, until):
                channel.first, channel.last = (self._binding,), (self._wait,)
                self._since, self._many = time.monotonic(), False
                yield
            return
        with channel.speaking():
            self._listen()
            if reads:
                channel.first = (self._binding,)
            else:
                channel.say(self._binding)
            yield

    def wait(self, seconds: float, outstanding: int) -> list[bytes]:
        """Return the next reply, or those that wait where many are `outstanding`; none after `seconds`."""
        many = self._many
        try:
            found = self._next(seconds)
        except ResponseError:
            if not many:
                raise
            self._together = False  # a Redis before 6.2: nothing was taken, so one by one as before
            return []
        if many or not found:
            return found
        if self._together and outstanding > _MANY:
            self.ask_waiting(outstanding - 1)
        return found

    def ask_waiting(self, most: int) -> None:
        """Ask for what already waits, which `wait` brings next. Before Redis 6.2 RPOP takes no count."""
        self._ask("RPOP", self._list, most)
        self._many = True

    def rest(self) -> None:
        """Give the connection back where its credentials are renewed by the pool, unless a word is out on it."""
        renewed = self._pool.connection_kwargs.get("credential_provider") is not None
        if renewed and self._since is None:
            self._give_back()

    def _give_back(self) -> None:
        if self._connection is not None:
            connection, self._connection = self._connection, None
            self._pool.release(connection)

    def _tend(self) -> None:
        """See that there is a connection that lives: may wait for the server."""
        if self._since is None:
            self._give_back()  # its pool looks whether it lives
            self._connection = self._pool.get_connection()
            self._connection.check_health()
        # As kombu's poller does: it keeps tables of bindings from being swept as forgotten.
        self._poller.maybe_refresh_binding_expiry()
        self._tended = time.monotonic()

    def _next(self, seconds: float) -> list[bytes]:
        since = self._listen()
        try:
            said = read_by(self._connection, Deadline.after(seconds))
        except NothingYet as error:
            # What came of a reply so far stays with the connection.
            if time.monotonic() - since > self._channel.brpop_timeout + SOCKET_SECONDS:
                raise Gone("BRPOP was not answered") from error
            return []
        except ResponseError:
            self._since = None
            raise
        self._since = None
        if said is None:
            return []
        found: list[bytes] = said if self._many else [said[1]]
        return found

    def _listen(self) -> float:
        """Send a BRPOP, unless a word is out; return when that was."""
        if self._since is None:
            if self._connection is None:
                self._connection = self._pool.get_connection()
            return self._ask("BRPOP", self._list, self._channel.brpop_timeout)
        return self._since

    def _ask(self, *words: object) -> float:
        self._connection.send_command(*words)
        self._since, self._many = time.monotonic(), False
        return self._since
