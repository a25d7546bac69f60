"""Kombu's Redis transport, grown by one number: how many workers received a broadcast.

On Redis a broadcast is one `PUBLISH`, and what it returns is the number of subscribers that got it: exact, and right
again a moment after a worker was killed. Kombu throws that number away. (`PUBSUB NUMSUB` says 0, as workers subscribe
by pattern, and the binding set keeps the dead.)
"""

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

from kombu.transport import redis as kombu_redis
from kombu.transport.base import Transport
from kombu.utils.json import dumps
from redis.exceptions import ResponseError

CONNECT_SECONDS = 3.0
"""How long a connection to the broker may take."""
CLIENT_NAME = "kb-fleet"
"""How our connections are called in Redis' CLIENT LIST."""
SOCKET_SECONDS = 5.0
"""How long one command to the broker may take before its thread is given back."""


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
    meanwhile: Callable[[], object] | None = None
    """What is done once the next broadcast has been written, before its answer is read."""
    _speaking: Any = None

    def prefixed(self, *command: Any) -> tuple[Any, ...]:
        """Return a command with the prefix that this broker's keys have (`global_keyprefix`), if any."""
        if not self.global_keyprefix:
            return command
        return tuple(self.client._prefix_args(command))  # noqa: SLF001 - kombu has no public way

    @contextlib.contextmanager
    def speaking(self) -> Iterator[None]:
        """Hold a connection that is there for what is sent within: to connect may take its time."""
        self._speaking = self.pool.get_connection()
        try:
            yield
        finally:
            connection, self._speaking = self._speaking, None
            self.pool.release(connection)

    def say(
        self, *commands: tuple[Any, ...], meanwhile: Callable[[], object] | None = None
    ) -> list[Any]:
        """Send commands in one write, once, within `speaking`; return the answers, or raise the first that is an error.

        All of them are carried out, also those behind one that is refused. `meanwhile` is called before the answers are
        read.
        """
        connection = self._speaking
        connection.send_packed_command(
            connection.pack_commands([self.prefixed(*command) for command in commands])
        )
        if meanwhile is not None:
            meanwhile()
        answers: list[Any] = []
        refusals: list[ResponseError] = []
        for _ in commands:
            try:
                answers.append(connection.read_response())
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
            meanwhile, self.meanwhile = self.meanwhile, None
            counts = self.say(*first, *publish, meanwhile=meanwhile)[len(first) :]
        # Old and new topics of one exchange are heard by overlapping crowds, so the larger one counts.
        self.receivers = max(int(count) for count in counts)


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
