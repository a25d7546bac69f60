"""The floor of a question to workers on RabbitMQ: one publish, and as many deliveries as there are workers.

RabbitMQ tells nobody how many those are: the floor is told it. Nothing is decoded.
"""

import json
import uuid
from typing import Any

from kombu import Connection

from bench.raw_question import question_to_all

_SECONDS = 5.0


class AmqpQuestion:
    """One connection that broadcasts a command as Celery's mailbox does, and collects the raw replies."""

    def __init__(self, url: str, command: str, workers: int) -> None:
        self._connection = Connection(url)
        channel: Any = self._connection.channel()
        self._channel = channel
        self._command = command
        self._workers = workers
        self._key = str(uuid.uuid4())
        self._heard = 0
        queue = f"{self._key}.reply.celery.pidbox"
        self._channel.queue_declare(queue, exclusive=True, auto_delete=True)
        self._channel.queue_bind(queue, "reply.celery.pidbox", self._key)
        self._channel.basic_consume(queue, no_ack=True, callback=self._hear)

    def _hear(self, _reply: object) -> None:
        self._heard += 1

    def ask(self) -> None:
        """Ask once, and wait for as many replies."""
        self._heard = 0
        self._channel.basic_publish(self._message(), exchange="celery.pidbox")
        while self._heard < self._workers:
            self._connection.drain_events(timeout=_SECONDS)

    def _message(self) -> Any:
        ticket = str(uuid.uuid4())
        body = question_to_all(self._command, ticket, self._key)
        return self._channel.prepare_message(
            json.dumps(body),
            content_type="application/json",
            content_encoding="utf-8",
            headers={"clock": 1, "expires": 0},
            properties={"correlation_id": ticket},
        )

    def close(self) -> None:
        """Leave nothing behind."""
        self._connection.release()
