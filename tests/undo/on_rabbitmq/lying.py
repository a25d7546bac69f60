"""Messages on RabbitMQ as they lie there: what an undo is held against, where that is the broker."""

import contextlib
from collections.abc import Iterable, Iterator
from typing import Any

from amqp import Message
from kombu import Connection

from tests.waiting import wait_until

Lying = tuple[bytes, dict[str, Any]]
"""A message's body and all its properties, headers among them."""


@contextlib.contextmanager
def channel(url: str) -> Iterator[Any]:
    """Lend a channel of the driver's own; what was taken on it and not acknowledged goes back at the end."""
    with Connection(url) as connection:
        opened: Any = connection.channel()
        opened.auto_decode = False
        yield opened


def declare(url: str, queue: str, **arguments: object) -> None:
    """Make a durable queue."""
    with channel(url) as opened:
        opened.queue_declare(queue, durable=True, auto_delete=False, arguments=arguments)


def publish(url: str, queue: str, messages: Iterable[Message]) -> None:
    """Publish, and return when they lie there."""
    with channel(url) as opened:
        opened.tx_select()
        for one in messages:
            opened.basic_publish(one, routing_key=queue)
        opened.tx_commit()


def lying(url: str, queue: str) -> list[Lying]:
    """Return every message that is ready in a queue, in the order in which they are taken; they stay."""
    found: list[Lying] = []
    with channel(url) as opened:
        while (message := opened.basic_get(queue)) is not None:
            found.append((message.body, message.properties))
    wait_until(lambda: (ready(url, queue) or 0) >= len(found), what="they are ready again")
    return found


def bodies(url: str, queue: str) -> list[bytes]:
    """Return their bodies alone."""
    return [body for body, _ in lying(url, queue)]


def ready(url: str, queue: str) -> int | None:
    """Return how many are ready in a queue, None where there is no such queue."""
    with Connection(url) as connection:
        opened: Any = connection.channel()
        try:
            return int(opened.queue_declare(queue, passive=True).message_count)
        except connection.channel_errors as error:
            assert getattr(error, "code", None) == 404, error
            return None


def empty(url: str, queue: str) -> None:
    """Remove what lies in a queue."""
    with channel(url) as opened:
        opened.queue_purge(queue)


def numbered(number: int) -> list[Message]:
    """Return so many messages, each another one."""
    return [Message(f"m-{n}", delivery_mode=2) for n in range(number)]
