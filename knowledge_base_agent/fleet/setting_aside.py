"""Pausing a task, inside the worker: its messages are set aside unread, so that they take no place and are not lost.

A rate limit does not do this: for Celery 0 is no limit, and what waits for its turn takes places of the prefetch.
A message is kept as it came (body, headers, properties, priority) and acknowledged only then: a worker that is killed
in between leaves it twice, never not at all. Redis alone: elsewhere a task runs as ever.
"""

from collections.abc import Callable
from typing import Any
from weakref import WeakKeyDictionary

from celery.utils.imports import instantiate
from celery.utils.log import get_logger
from kombu.transport import redis as kombu_redis

from knowledge_base_agent.fleet.parking_names import INDEX, index_entry, parking_queue
from knowledge_base_agent.fleet.worker_queues import routes

log = get_logger(__name__)
_STRATEGIES: "WeakKeyDictionary[Any, Any]" = WeakKeyDictionary()
"""The paused tasks, each with the strategy that it has otherwise."""


def pause(task: Any) -> None:
    """Have this task's messages set aside. It lasts over reconnections; a running consumer needs `refresh`."""
    if task not in _STRATEGIES:
        _STRATEGIES[task] = task.Strategy
        task.Strategy = strategy
        log.warning("%s is paused: its messages are set aside", task.name)


def resume(task: Any) -> None:
    """Have this task's messages handled as ever. A running consumer needs `refresh`."""
    if task in _STRATEGIES:
        task.Strategy = _STRATEGIES.pop(task)
        log.warning("%s is resumed", task.name)


def paused(app: Any) -> list[str]:
    """Return the names of this app's tasks that are paused here."""
    return sorted(task.name for task in _STRATEGIES if task.app is app)


def refresh(consumer: Any, task: Any) -> None:
    """Have a running consumer handle the next message of this task as it is to be handled now."""
    consumer.strategies[task.name] = task.start_strategy(consumer.app, consumer)


def can_set_aside(consumer: Any) -> bool:
    """Tell whether the broker is one where a message can be kept as it is."""
    return isinstance(consumer.connection.transport, kombu_redis.Transport)


def strategy(task: Any, app: Any, consumer: Any) -> Callable[..., None]:
    """Return what handles a paused task's messages: Celery's `Task.Strategy`."""
    if not can_set_aside(consumer):
        as_ever: Callable[..., None] = instantiate(_STRATEGIES[task], task, app, consumer)
        return as_ever

    def set_aside(
        message: Any, body: Any, ack: Callable[..., None], *_: object, **__: object
    ) -> None:
        delivery = message.delivery_info or {}
        key = str(delivery.get("routing_key") or "")
        queue = routes(consumer).get((str(delivery.get("exchange") or ""), key), key)
        channel = message.channel
        # kombu's own form of a message that goes back: publishing it anew would change where it says it comes from.
        channel._put(parking_queue(task.name, queue), message.serializable())  # noqa: SLF001
        with channel.conn_or_acquire() as client:
            # After the message, so that whoever finds nothing to bring back may take the entry out.
            client.sadd(INDEX, index_entry(task.name, queue))
        ack(log, consumer.connection_errors)

    return set_aside
