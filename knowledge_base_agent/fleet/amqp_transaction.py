"""Moving messages between queues on RabbitMQ: taken, published and acknowledged on one channel, in transactions.

What RabbitMQ promises of a transaction (its page on broker semantics): the effects come with the commit, and a commit
is answered when what it published is safe. A client that dies before its commit has arrived has done nothing, after
that all of it. Only a broker that dies in that very moment may have done one half: callers must bear that.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from amqp import Message, spec
from celery import Celery

from knowledge_base_agent.fleet.line import open_connection

_ASKED_AT_ONCE = 20
"""Messages asked for before the first of them is awaited: a message each way would cost a round trip each."""
_BYTES_AT_ONCE = 4_000_000
_HEARTBEAT_SECONDS = 8
"""The broker cuts off a process that was stopped, and not killed, before its run is taken to be over (30 s)."""


class Transaction:
    """A connection of its own with one channel; for one thread at a time. Each call blocks up to the socket's limit."""

    def __init__(self, app: Celery) -> None:
        self._connection = open_connection(app, heartbeat=_HEARTBEAT_SECONDS)
        self._nowhere: set[str] = set()
        self._channel = self._opened()

    def _opened(self) -> Any:
        channel: Any = self._connection.channel()
        channel.auto_decode = False  # bytes in, the same bytes out
        channel.events["basic_return"].add(self._returned)
        channel.tx_select()
        return channel

    def _returned(self, _error: Exception, _exchange: str, queue: str, _message: object) -> None:
        self._nowhere.add(queue)

    def declare(self, name: str, arguments: dict[str, object]) -> None:
        """Make a durable queue that nothing but its own arguments removes. It is there at once."""
        self._channel.queue_declare(name, durable=True, auto_delete=False, arguments=arguments)

    def take(self, queue: str, most: int) -> list[Any]:
        """Take up to so many messages, fewer where they are large; they go back unless `settle` and `commit` follow."""
        taken: list[Any] = []
        size = 0
        while len(taken) < most and size < _BYTES_AT_ONCE:
            found = self._take(queue, min(most - len(taken), _ASKED_AT_ONCE))
            taken += [one for one in found if one is not None]
            size = sum(len(one.body) for one in taken)
            if None in found:
                break
        return taken

    def _take(self, queue: str, number: int) -> list[Any]:
        for _ in range(number):
            self._channel.send_method(spec.Basic.Get, "Bsb", (0, queue, False))
        answers = [spec.Basic.GetOk, spec.Basic.GetEmpty]
        found = [self._channel.wait(answers, returns_tuple=True) for _ in range(number)]
        # An empty answer has one field, a message comes as the last of six.
        return [_numbered(one[-1], one[0]) if len(one) > 1 else None for one in found]

    def publish(self, message: Message, queue: str) -> None:
        """Have a message put at the end of a queue by the next commit."""
        self._channel.basic_publish(message, exchange="", routing_key=queue, mandatory=True)

    def settle(self, last: Any) -> None:
        """Have what was taken, up to this message, acknowledged by the next commit."""
        self._channel.basic_ack(last.delivery_tag, multiple=True)

    def commit(self) -> frozenset[str]:
        """Make it so, and return the queues that did not exist: what was published to them is nowhere."""
        self._nowhere.clear()
        self._channel.tx_commit()
        return frozenset(self._nowhere)

    def renew(self) -> None:
        """Open another channel, where an error has closed the one; what it had taken goes back."""
        self._channel = self._opened()

    def peek(self, queue: str) -> list[bytes]:
        """Return the bodies in a queue of a few, the first first; they stay there."""
        found: list[bytes] = []
        with self._aside() as channel:
            channel.auto_decode = False
            while (message := channel.basic_get(queue)) is not None:
                found.append(message.body)
        return found

    def delete(self, queue: str) -> None:
        """Delete a queue with what is in it."""
        with self._aside() as channel:
            channel.queue_delete(queue)

    @contextmanager
    def _aside(self) -> Iterator[Any]:
        """Lend a channel without transactions; what was taken on it goes back when it is closed."""
        channel: Any = self._connection.channel()
        yield channel
        channel.close()

    def close(self) -> None:
        """Close the connection: what was taken and not settled goes back to its place."""
        self._connection.release()


def _numbered(message: Any, tag: int) -> Any:
    message.delivery_info = {"delivery_tag": tag}
    return message
