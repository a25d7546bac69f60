"""The fleet as one value: what operations are given. Made once a process and closed at its end."""

from celery import Celery

from knowledge_base_agent.fleet.broadcast import Broadcaster
from knowledge_base_agent.fleet.broker import Broker
from knowledge_base_agent.fleet.queues import Queues
from knowledge_base_agent.fleet.workers import Workers


class Fleet:
    """Everything that can be asked of, or told to, the workers and the broker of one Celery app.

    Synchronous and safe to use from many threads; every call takes a `Deadline` and keeps it.
    """

    def __init__(self, app: Celery) -> None:
        self.app = app
        self.broadcaster = Broadcaster(app)
        self.workers = Workers(app, self.broadcaster)
        self._broker = Broker(app)
        self.queues = Queues(app, self._broker)

    def close(self) -> None:
        """Close every connection."""
        self.broadcaster.close()
        self._broker.close()
