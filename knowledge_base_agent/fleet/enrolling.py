"""On RabbitMQ, which tells nobody how many receive a broadcast: each worker that loads this can be counted there.

`worker_commands` adds this to a worker. It consumes from one queue that nobody writes to, and the broker tells how many
consumers a queue has: exact, and right again a moment after a worker was killed. Workers that do not load this are not
in the number: it says when all who are in it have answered, and never how many workers there are.
"""

from typing import Any

from celery import bootsteps
from celery.utils.log import get_logger
from kombu.common import ignore_errors

from knowledge_base_agent.fleet.worker_words import register_of

log = get_logger(__name__)
_KEPT = 60_000
"""Milliseconds that the queue stays when the last of its consumers has gone."""


class Enrolment(bootsteps.StartStopStep):  # type: ignore[misc, unused-ignore]
    """Is counted from when it can hear questions until it stops listening, on each connection anew."""

    # After the mailbox, and so before it at the end: who is counted can answer.
    requires = ("celery.worker.consumer:Control",)

    def __init__(self, consumer: Any, **options: Any) -> None:
        super().__init__(consumer, **options)
        self._channel: Any = None
        consumer.kb_enrolled = False

    def include_if(self, consumer: Any) -> bool:
        """Leave it out where the broker counts by itself, or where the worker hears no questions."""
        told: bool = consumer.app.conf.worker_enable_remote_control
        return told and consumer.conninfo.transport.driver_type == "amqp"

    def start(self, consumer: Any) -> None:
        """Enrol. A broker that does not allow it is told in the log: the worker works as ever."""
        queue = register_of(consumer.app.conf.control_exchange)
        channel = consumer.connection.channel()
        try:
            channel.queue_declare(
                queue, durable=True, auto_delete=False, arguments={"x-expires": _KEPT}
            )
            # Without `on_cancel` a worker would connect anew when somebody deletes the queue.
            channel.basic_consume(
                queue,
                no_ack=True,
                callback=_nothing,
                on_cancel=lambda _: setattr(consumer, "kb_enrolled", False),
            )
        except consumer.connection.channel_errors as error:
            log.warning("this worker can't be counted on the broker: %s", error)
            return
        self._channel = channel
        consumer.kb_enrolled = True

    def stop(self, consumer: Any) -> None:
        """Leave."""
        channel, self._channel = self._channel, None
        consumer.kb_enrolled = False
        if channel is not None:
            ignore_errors(consumer.connection, channel.close)

    def shutdown(self, consumer: Any) -> None:
        """Do the same."""
        self.stop(consumer)


def _nothing(_message: object) -> None:
    """Nobody writes to that queue."""
