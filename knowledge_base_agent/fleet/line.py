"""One connection of our own to the broker, on which questions go out to workers and raw replies come back."""

import time
import uuid
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from celery import Celery
from kombu import Connection, Consumer, Producer, Queue
from kombu.exceptions import ContentDisallowed, DecodeError
from kombu.message import Message
from redis.exceptions import ResponseError

from knowledge_base_agent.clock import utc_now
from knowledge_base_agent.fleet.deadline import Deadline
from knowledge_base_agent.fleet.question import Asked, Question, Reply
from knowledge_base_agent.fleet.receivers import CONNECT_SECONDS, counting, socket_options
from knowledge_base_agent.fleet.worker_words import LOOK, register_of

_NOT_FOUND = 404
_SLICE = 0.05
"""Seconds of one wait for a reply: kombu may overrun a wait by its length."""
_MANY = 24
"""From so many outstanding replies on, those that wait already are fetched together: one by one, each takes a round
trip; for fewer, asking whether more wait costs more than it saves."""


class Line:
    """A connection, a channel and a reply queue; used by one thread at a time, and by many questions in turn."""

    def __init__(self, app: Celery, on_late: Callable[[Iterable[str]], None]) -> None:
        self._on_late = on_late
        self._mailbox: Any = app.control.mailbox  # type: ignore[attr-defined]
        self._connection = open_connection(app)
        self._channel: Any = self._connection.channel()
        self._key = str(uuid.uuid4())
        self._serializer = "json" if "json" in (self._mailbox.accept or ()) else None
        self._producer = Producer(
            self._channel, serializer=self._serializer or self._mailbox.serializer
        )
        self._queue = self._reply_queue()
        self._open: dict[str, Asked] = {}
        self._looking: Any = None
        self.unreadable = 0
        """Replies that came in a form which is never decoded here (pickle)."""
        self._consumer = Consumer(
            self._channel,
            [self._queue],
            callbacks=[self._heard],
            no_ack=True,
            accept=[kind for kind in self._mailbox.accept or ["json"] if "pickle" not in kind],
            on_decode_error=self._refused,
        )
        events = getattr(self._channel, "events", None)
        if events is not None:
            events["basic_return"].add(self._returned)
        self._together = hasattr(self._channel, "take_waiting")
        self._consumer.consume()

    def send(self, asked: Asked, deadline: Deadline) -> None:
        """Broadcast one question; what comes back is added to `asked` by `listen`. Sends nothing after the deadline."""
        self._rebind()
        # To connect may have taken so long that its asker was told that it was not sent.
        if deadline.expired:
            raise TimeoutError("there was no connection in time")
        self._open[asked.ticket] = asked
        asked.sent, asked.sent_at = time.monotonic(), utc_now()
        self._producer.publish(
            self._message(asked.question, asked.ticket),
            exchange=self._mailbox.exchange.name,
            declare=[self._mailbox.exchange],
            headers={"clock": self._mailbox.clock.forward(), "expires": 0},
            correlation_id=asked.ticket,
            mandatory=True,  # RabbitMQ sends it back if nobody is there: the one number that it tells
            retry=False,
        )
        asked.receivers = getattr(self._channel, "receivers", None)
        if asked.question.command == LOOK and asked.question.destination is None:
            asked.enrolled = self._enrolled()

    def _message(self, question: Question, ticket: str) -> dict[str, object]:
        return {
            "method": question.command,
            "arguments": dict(question.arguments),
            "destination": list(question.destination) if question.destination else None,
            "pattern": None,
            "matcher": None,
            "ticket": ticket,
            "reply_to": {"exchange": self._mailbox.reply_exchange.name, "routing_key": self._key},
        }

    def listen(self, seconds: float) -> None:
        """Take in a reply, and what waits behind it; waits `seconds` or a short slice for it, whichever is less."""
        try:
            self._connection.drain_events(timeout=min(max(seconds, 0.001), _SLICE))
        except TimeoutError:
            return
        except (ContentDisallowed, DecodeError):
            self.unreadable += 1
        outstanding = sum(one.outstanding for one in self._open.values())
        if self._together and outstanding >= _MANY:
            self._take_waiting(outstanding)

    def _take_waiting(self, most: int) -> None:
        try:
            waiting = self._channel.take_waiting(self._queue.name, most)
        except ResponseError:
            self._together = False  # an older Redis: nothing was taken, so one by one as before
            return
        for message in waiting:
            try:
                self._channel.deliver(message, self._queue.name)
            except (ContentDisallowed, DecodeError):
                self.unreadable += 1

    def forget(self, questions: Iterable[Asked]) -> None:
        """Count what still comes for these questions as late."""
        for asked in questions:
            self._open.pop(asked.ticket, None)

    def bound(self, candidates: Iterable[str]) -> frozenset[str]:
        """Return the worker names whose mailbox the broker knows.

        On Redis that is everyone, the killed included; on RabbitMQ those of `candidates` that are connected.
        """
        suffix = f".{self._mailbox.namespace}.pidbox"
        table = getattr(self._channel, "get_table", None)
        if table is None:
            return frozenset(name for name in candidates if self._mailbox_exists(name + suffix))
        queues = [str(row[-1]) for row in table(self._mailbox.exchange.name)]
        return frozenset(name[: -len(suffix)] for name in queues if name.endswith(suffix))

    def _enrolled(self) -> int | None:
        """Return how many workers are counted on RabbitMQ; None elsewhere, or where nobody is."""
        if self._connection.transport.driver_type != "amqp":
            return None
        said = self._declared(register_of(self._mailbox.namespace))
        return getattr(said, "consumer_count", None)

    def _mailbox_exists(self, queue: str) -> bool:
        # 405: there, and exclusive to its worker
        return getattr(self._declared(queue), "code", None) != _NOT_FOUND

    def _declared(self, queue: str) -> Any:
        """Return what RabbitMQ tells of a queue, or the error by which it refuses to."""
        if self._looking is None:
            # Its own, for good: a refusal closes it, and amqp at once opens it anew, whoever forgets it.
            self._looking = self._connection.channel()
        try:
            return self._looking.queue_declare(queue, passive=True)
        except self._connection.channel_errors as error:
            return error

    def close(self) -> None:
        """Close the connection; the reply queue goes with it."""
        self._consumer.cancel()
        self._queue.delete(if_unused=False, if_empty=False)
        self._hang_up()
        self._connection.release()

    def drop(self) -> None:
        """Close without a word to the broker, for a connection that is broken already."""
        if self._hang_up():
            self._connection.release()
        else:
            self._connection.collect()

    def _hang_up(self) -> bool:
        """On Redis a BRPOP is usually still out, and closing the channel would wait for it: up to a second."""
        client = vars(self._channel).get("client")
        if client is None:
            return False
        if client.connection is not None:
            client.connection.disconnect()
        return True

    def _reply_queue(self) -> Queue:
        exchange = self._mailbox.reply_exchange
        return Queue(
            f"{self._key}.{exchange.name}",
            exchange=exchange,
            routing_key=self._key,
            durable=False,
            exclusive=True,
            auto_delete=True,
            expires=60.0,
        ).bind(self._channel)

    def _rebind(self) -> None:
        # A Redis that was emptied has lost our reply address, and every worker would look silent.
        state = getattr(self._channel, "state", None)
        if state is not None and hasattr(state, "queue_bindings_delete"):
            state.queue_bindings_delete(self._queue.name)
            self._forget_rows(state)
            self._queue.queue_bind()

    def _forget_rows(self, state: Any) -> None:
        """Take our address out of kombu's own table, to which each binding adds a row; none is ever taken away."""
        table = state.exchanges.get(self._mailbox.reply_exchange.name, {}).get("table", [])
        for row in [one for one in table if one[-1] == self._queue.name]:
            table.remove(row)

    def _heard(self, body: object, message: Message) -> None:
        if not isinstance(body, dict):
            self.unreadable += 1
            return
        asked = self._open.get(str((message.headers or {}).get("ticket")))
        if asked is None:
            self._on_late(str(name) for name in body)
            return
        after = time.monotonic() - asked.sent
        asked.replies += [
            Reply(worker=str(name), body=said, after=after) for name, said in body.items()
        ]

    def _returned(self, _error: object, _exchange: str, _key: str, message: Any) -> None:
        asked = self._open.get(str(message.properties.get("correlation_id")))
        if asked is not None:
            asked.receivers = 0

    def _refused(self, _message: Message, _error: Exception) -> None:
        self.unreadable += 1


def open_connection(
    app: Celery, extra: Mapping[str, object] | None = None, *, heartbeat: float | None = None
) -> Connection:
    """Open a connection of our own, outside the app's pools, with a limit on every blocking step.

    With `heartbeat` (seconds) an AMQP broker ends it when nothing was heard for twice as long.
    """
    plain = app.connection_for_write()
    transport = plain.get_transport_cls()
    options = {**socket_options(transport), **(extra or {})}
    connection: Connection = app.connection_for_write(
        transport=counting(transport),
        transport_options=options,
        connect_timeout=CONNECT_SECONDS,
        heartbeat=heartbeat,
    )
    connection.ensure_connection(
        max_retries=len(connection.alt or ()), interval_start=0, interval_step=0
    )
    return connection
