"""How much waits in each queue on RabbitMQ (or another AMQP broker), by passive declarations."""

from collections.abc import Iterable
from typing import Any

from celery import Celery
from msgspec import Struct

from knowledge_base_agent.fleet.line import open_connection

_NOT_THERE = {404, 405}
"""Not found, and locked: what one connection has for itself alone is nobody else's queue."""


class AmqpQueue(Struct, frozen=True, kw_only=True):
    """What the broker tells when a queue is declared passively."""

    messages: int
    """Ready ones; those with workers are not counted."""
    consumers: int


def read_amqp(app: Celery, names: Iterable[str]) -> dict[str, AmqpQueue | None]:
    """Ask about each queue; None for one that does not exist, or is locked. Blocks: call it behind a deadline."""
    with open_connection(app) as connection:
        found: dict[str, AmqpQueue | None] = {}
        for name in names:
            channel: Any = (
                connection.channel()
            )  # its own: "not found" closes the channel it came on
            try:
                declared = channel.queue_declare(name, passive=True)
            except connection.channel_errors as error:
                if getattr(error, "code", None) not in _NOT_THERE:
                    raise
                found[name] = None
                continue
            found[name] = AmqpQueue(
                messages=declared.message_count, consumers=declared.consumer_count
            )
            channel.close()
        return found
