"""Which queues a worker takes from, as it sees it itself."""

from typing import Any


def consumed(consumer: Any) -> list[Any]:
    """Return the queues that this worker consumes now."""
    return list(consumer.task_consumer.queues) if consumer.task_consumer else []


def routes(consumer: Any) -> dict[tuple[str, str], str]:
    """Return the queue for each exchange and routing key, of those."""
    return {
        (queue.exchange.name or "", queue.routing_key or ""): queue.name
        for queue in consumed(consumer)
    }
