"""Closing a Celery app that a test made."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from celery import Celery


def close_app(app: Celery) -> None:
    """Close it with its connections to the result backend on Redis, which Celery's own `close` leaves open.

    Left to the garbage collector, its pending results would even connect once more, to tell that nobody waits for
    them: that socket was found unclosed by whichever test ran then.
    """
    backend: Any = app.backend
    listening = getattr(backend, "result_consumer", None)
    if listening is not None:
        listening.stop()
        listening._pubsub = None
        backend.client.connection_pool.disconnect()
    app.close()


@contextmanager
def closed_app(app: Celery) -> Iterator[Celery]:
    """Lend an app until the end of the block, and close it so."""
    try:
        yield app
    finally:
        close_app(app)
