"""Kombu's Redis transport, grown by one number: how many workers received a broadcast.

On Redis a broadcast is one `PUBLISH`, and what it returns is the number of subscribers that got it: exact, and right
again a moment after a worker was killed. Kombu throws that number away. (`PUBSUB NUMSUB` says 0, as workers subscribe
by pattern, and the binding set keeps the dead.)
"""

import contextlib
import time
from collections.abc import Iterator
from typing import Any

from kombu.transport import redis as kombu_redis
from kombu.transport.base import Transport
from kombu.utils.json import dumps
from redis.exceptions import ConnectionError as Gone
from redis.exceptions import ResponseError
from redis.exceptions import TimeoutError as NothingYet

from knowledge_base_agent.fleet.deadline import Deadline

CONNECT_SECONDS = 3.0
"""How long a connection to the broker may take."""
CLIENT_NAME = "kb-fleet"
"""How our connections are called in Redis' CLIENT LIST."""
SOCKET_SECONDS = 5.0
"""How long one command to the broker may take before its thread is given back."""
_CLOSED = "it was closed meanwhile"
_WITHOUT_A_SOCKET = (AttributeError, TypeError, ValueError)
_PIECE_SECONDS = 0.001
"""Seconds until the next piece of an answer is looked for that has come in part."""


class BystanderQoS(kombu_redis.QoS):
    """Never gives unacknowledged messages of others back to their queues: an onlooker changes nothing."""

    def restore_visible(self, *_args: object, **_kwargs: object) -> None:
        """Do nothing, where a consumer would sweep the `unacked` hash."""


class CountingChannel(kombu_redis.Channel):
    """A Redis channel that keeps how many subscribers its last broadcast reached."""

    QoS = BystanderQoS
    receivers: int | None = None
    first: tuple[tuple[Any, ...], ...] = ()
    """Commands that go out in one write with the next broadcast, and before it."""
    last: tuple[tuple[Any, ...], ...] = ()
    """And those behind it, whose answers somebody else reads."""
    _speaking: Any = None
    _until: Deadline | None = None

    def prefixed(self, *command: Any) -> tuple[Any, ...]:
        """Return a command with the prefix that this broker's keys have (`global_keyprefix`), if any."""
        if not self.global_keyprefix:
            return command
        return tuple(self.client._prefix_args(command))  # noqa: SLF001 - kombu has no public way

    @contextlib.contextmanager
    def speaking(self, connection: Any = None, until: Deadline | None = None) -> Iterator[None]:
        """Hold a connection for what is sent within: this one, or one of the pool's, which may take time to connect.

        With `until` nothing waits for longer, neither for the connection to take a word nor for an answer.
        """
        self._speaking, self._until = connection or self.pool.get_connection(), until
        try:
            yield
        finally:
            spoken, self._speaking, self._until = self._speaking, None, None
            if spoken is not connection:
                self.pool.release(spoken)

    def say(self, *commands: tuple[Any, ...], last: tuple[tuple[Any, ...], ...] = ()) -> list[Any]:
        """Send commands in one write, once, within `speaking`; return the answers, or raise the first that is an error.

        All of them are carried out, also those behind one that is refused. The answers to those in `last` are not read.
        """
        connection, until = self._speaking, self._until
        words = connection.pack_commands([self.prefixed(*one) for one in (*commands, *last)])
        if until is None:
            connection.send_packed_command(words)
        else:
            write_by(connection, words, until)
        answers: list[Any] = []
        refusals: list[ResponseError] = []
        for _ in commands:
            try:
                answers.append(
                    connection.read_response() if until is None else read_by(connection, until)
                )
            except ResponseError as error:
                refusals.append(error)
        if refusals:
            raise refusals[0]
        return answers

    def _put_fanout(
        self,
        exchange: str,
        message: dict[str, Any],
        routing_key: str | None,
        **_kwargs: object,
    ) -> None:
        payload = dumps(message)
        topics: list[str] = self._get_publish_topics(exchange, routing_key)  # type: ignore[attr-defined]
        publish = [("PUBLISH", topic, payload) for topic in topics]
        if self._speaking is None:
            with self.speaking():
                counts = self.say(*publish)
        else:
            first, self.first = self.first, ()
            last, self.last = self.last, ()
            counts = self.say(*first, *publish, last=last)[len(first) :]
        # Old and new topics of one exchange are heard by overlapping crowds, so the larger one counts.
        self.receivers = max(int(count) for count in counts)


def write_by(connection: Any, words: Any, until: Deadline) -> None:
    """Send, on a connection that is there, and wait for nothing beyond the deadline: no health check either.

    Raises `redis.ConnectionError` where somebody has closed it meanwhile.
    """
    try:
        sock = connection._sock  # noqa: SLF001 - redis-py has one limit for all that a connection sends
        sock.settimeout(max(until.remaining(), 0.001))
        connection.send_packed_command(words, check_health=False)
        sock.settimeout(connection.socket_timeout)
    except _WITHOUT_A_SOCKET as error:
        raise _gone(connection, error) from error


def read_by(connection: Any, until: Deadline) -> Any:
    """Read an answer, in however many pieces it comes; raises `redis.TimeoutError` at the deadline, and keeps those.

    Raises `redis.ConnectionError` where somebody has closed it meanwhile.
    """
    while True:
        begun = can_read(connection, until.remaining())
        try:
            return connection.read_response(timeout=0, disconnect_on_error=False)
        except NothingYet:
            if until.expired:
                raise
            if begun:
                time.sleep(_PIECE_SECONDS)
        except _WITHOUT_A_SOCKET as error:
            raise _gone(connection, error) from error


def can_read(connection: Any, seconds: float) -> bool:
    """Tell whether an answer comes within so long. Raises `redis.ConnectionError` where it was closed."""
    if not connection.is_connected:
        raise Gone(
            _CLOSED
        )  # redis-py would connect it anew, and wait for an answer to what nobody has asked there
    try:
        return bool(connection.can_read(seconds))
    except _WITHOUT_A_SOCKET as error:
        raise _gone(connection, error) from error


def _gone(connection: Any, error: Exception) -> Gone:
    """Return what to raise where another thread has closed a connection: redis-py takes its socket away then."""
    if connection.is_connected:
        raise error
    return Gone(_CLOSED)


def counting(transport: type[Transport]) -> type[Transport]:
    """Return the transport with counted broadcasts if it is a Redis one (plain, TLS, Sentinel), else as it is.

    A new class each time it is first needed, used by our own connections alone: kombu's classes stay untouched.
    """
    if not issubclass(transport, kombu_redis.Transport):
        return transport
    if transport not in _COUNTING:
        channel = type("CountingChannel", (CountingChannel, transport.Channel), {})
        _COUNTING[transport] = type("CountingTransport", (transport,), {"Channel": channel})
    return _COUNTING[transport]


_COUNTING: dict[type[Transport], type[Transport]] = {}


def socket_options(transport: type[Transport]) -> dict[str, object]:
    """Return the transport options that keep one command from blocking for ever."""
    if issubclass(transport, kombu_redis.Transport):
        return {
            "socket_timeout": SOCKET_SECONDS,
            "socket_connect_timeout": CONNECT_SECONDS,
            "client_name": CLIENT_NAME,
            "retry_on_timeout": False,  # a destructive broadcast must never be sent twice
        }
    return {"read_timeout": SOCKET_SECONDS, "write_timeout": SOCKET_SECONDS}
