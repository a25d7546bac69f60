"""Kombu's Redis transport, grown by one number: how many workers received a broadcast.

On Redis a broadcast is one `PUBLISH`, and what it returns is the number of subscribers that got it: exact, and right
again a moment after a worker was killed. Kombu throws that number away. (`PUBSUB NUMSUB` says 0, as workers subscribe
by pattern, and the binding set keeps the dead.)
"""

from typing import Any

from kombu.transport import redis as kombu_redis
from kombu.transport.base import Transport
from kombu.utils.encoding import bytes_to_str
from kombu.utils.json import dumps, loads

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

    def _put_fanout(
        self,
        exchange: str,
        message: dict[str, Any],
        routing_key: str | None,
        **_kwargs: object,
    ) -> None:
        payload = dumps(message)
        with self.conn_or_acquire() as client:
            topics: list[str] = self._get_publish_topics(exchange, routing_key)  # type: ignore[attr-defined]
            # Old and new topics of one exchange are heard by overlapping crowds, so the larger one counts.
            self.receivers = max(int(client.publish(topic, payload)) for topic in topics)

    def take_waiting(self, queue: str, most: int) -> list[bytes]:
        """Take at once what already waits in a reply queue, instead of by one BRPOP each; `deliver` reads it.

        Raises `redis.ResponseError` before Redis 6.2, whose RPOP takes no count.
        """
        with self.conn_or_acquire() as client:
            return client.rpop(queue, most) or []

    def deliver(self, message: bytes, queue: str) -> None:
        """Hand a message over to the consumer of its queue, as kombu does with one that came by BRPOP."""
        self.connection._deliver(loads(bytes_to_str(message)), queue)  # noqa: SLF001 - kombu has no public way


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
