"""One connection of our own to the broker, on which questions go out to workers and raw replies come back."""

import contextlib
import logging
import time
import uuid
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from typing import Any

from celery import Celery
from kombu import Connection, Queue
from kombu.serialization import dumps, prepare_accept_content
from kombu.utils.encoding import bytes_to_str
from kombu.utils.json import loads

from knowledge_base_agent.clock import utc_now
from knowledge_base_agent.fleet.amqp_replies import AmqpReplies
from knowledge_base_agent.fleet.deadline import Deadline
from knowledge_base_agent.fleet.question import Asked, Question, Reply
from knowledge_base_agent.fleet.receivers import (
    CONNECT_SECONDS,
    CountingChannel,
    counting,
    socket_options,
)
from knowledge_base_agent.fleet.redis_replies import RedisReplies
from knowledge_base_agent.fleet.reply_bodies import JSON, in_envelope, in_message
from knowledge_base_agent.fleet.worker_words import LOOK, register_of

log = logging.getLogger(__name__)

_SLICE = 0.05
"""Seconds of one wait for a reply: kombu may overrun a wait by its length."""


class Line:
    """A connection, a channel and a reply queue; used by one thread at a time, and by many questions in turn."""

    def __init__(self, app: Celery, on_late: Callable[[Iterable[str]], None]) -> None:
        self._on_late = on_late
        self._mailbox: Any = app.control.mailbox  # type: ignore[attr-defined]
        self._connection = open_connection(app)
        self._channel: Any = self._connection.channel()
        self._key = str(uuid.uuid4())
        accept = [kind for kind in self._mailbox.accept or ["json"] if "pickle" not in kind]
        self._accept: Any = prepare_accept_content(accept)
        self._serializer = "json" if "json" in (self._mailbox.accept or ()) else None
        self._open: dict[str, Asked] = {}
        self.unreadable = 0
        """Replies that were broken, or in a form which is never decoded here (pickle)."""
        self._mailbox.exchange(self._channel).declare()
        self._queue = self._reply_queue()
        self._queue.declare()
        self._queue.consume(self._key, callback=self._take, no_ack=True)
        self._replies: RedisReplies | None = None
        self._amqp: AmqpReplies | None = None
        if isinstance(self._channel, CountingChannel):
            reply_exchange = self._mailbox.reply_exchange.name
            self._replies = RedisReplies(self._channel, self._queue.name, reply_exchange, self._key)
        elif self._connection.transport.driver_type == "amqp":
            register = register_of(self._mailbox.namespace)
            self._amqp = AmqpReplies(self._connection.connection, register)
        events = getattr(self._channel, "events", None)
        if events is not None:
            events["basic_return"].add(self._returned)

    def ready(self) -> bool:
        """Tell, without waiting, whether a question can be asked on it that waits for nothing beyond its deadline."""
        side = self._replies or self._amqp
        return side is not None and side.ready()

    def send(self, asked: Asked, deadline: Deadline, *, here: bool = False) -> None:
        """Broadcast one question; what comes back is added to `asked` by `listen`. Sends nothing after the deadline.

        Nor does it wait for anything beyond that, `here`, on a line that is `ready`.
        """
        question = asked.question
        with self._addressed(question, deadline if here else None):
            # To connect may have taken so long that its asker was told that it was not sent.
            if deadline.expired:
                raise TimeoutError("there was no connection in time")
            self._open[asked.ticket] = asked
            asked.sent, asked.sent_at = time.monotonic(), utc_now()
            self._broadcast(asked)
            asked.receivers = getattr(self._channel, "receivers", None)
            if self._amqp and question.command == LOOK and question.destination is None:
                self._amqp.count(asked)

    def _addressed(
        self, question: Question, until: Deadline | None
    ) -> AbstractContextManager[None]:
        if self._replies is not None:
            return self._replies.addressed(question.reads, until)
        return self._amqp.addressed(until) if self._amqp else contextlib.nullcontext()

    def _broadcast(self, asked: Asked) -> None:
        kind, encoding, body = dumps(
            self._message(asked.question, asked.ticket),
            serializer=self._serializer or self._mailbox.serializer,
        )
        message = self._channel.prepare_message(
            body,
            content_type=kind,
            content_encoding=encoding,
            headers={"clock": self._mailbox.clock.forward(), "expires": 0},
            properties={"correlation_id": asked.ticket},
        )
        self._channel.basic_publish(
            message,
            exchange=self._mailbox.exchange.name,
            routing_key="",
            mandatory=True,  # RabbitMQ sends it back if nobody is there: the one number that it tells
        )

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
        wait = min(max(seconds, 0.001), _SLICE)
        if self._replies is not None:
            outstanding = sum(one.outstanding for one in self._open.values())
            for raw in self._replies.wait(wait, outstanding):
                self._take(raw)
            return
        if self._amqp is not None:
            self._amqp.listen(wait)
            return
        with contextlib.suppress(TimeoutError):
            self._connection.drain_events(timeout=wait)

    def forget(self, questions: Iterable[Asked]) -> None:
        """Count what still comes for these questions as late."""
        for asked in questions:
            self._open.pop(asked.ticket, None)
        if self._replies is not None:
            self._replies.rest()

    def bound(self, candidates: Iterable[str]) -> frozenset[str]:
        """Return the worker names whose mailbox the broker knows.

        On Redis that is everyone, the killed included; on RabbitMQ those of `candidates` that are connected.
        """
        suffix = f".{self._mailbox.namespace}.pidbox"
        if self._amqp is not None:
            there = self._amqp.has_queue
            return frozenset(name for name in candidates if there(name + suffix))
        queues = [str(row[-1]) for row in self._channel.get_table(self._mailbox.exchange.name)]
        return frozenset(name[: -len(suffix)] for name in queues if name.endswith(suffix))

    def close(self) -> None:
        """Close the connection; the reply queue goes with it."""
        self._queue.cancel(self._key)
        self._queue.delete(if_unused=False, if_empty=False)
        self._connection.release()

    def drop(self) -> None:
        """Close without a word to the broker, for a connection that is broken already."""
        if self._replies is not None:
            self._connection.release()  # kombu has nothing to say to a Redis: it hangs up
        else:
            self._connection.collect()

    def _reply_queue(self) -> Any:
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

    def _take(self, raw: Any) -> None:
        """Enter a raw reply: what came out of a list, or what amqp has received."""
        if JSON in self._accept:
            found = in_envelope(raw) if self._replies is not None else in_message(raw)
            if found is not None:
                self._heard(*found)
                return
        try:
            self._take_carefully(raw)
        except Exception as error:  # noqa: BLE001 - whoever wrote it, and whatever it is: it costs no other reply
            log.info("a reply could not be read: %s", type(error).__name__)
            self.unreadable += 1

    def _take_carefully(self, raw: Any) -> None:
        read = loads(bytes_to_str(raw)) if self._replies is not None else raw
        message = self._channel.message_to_python(read)
        message.accept = self._accept
        if message.errors:
            raise message.errors[0][1]
        self._heard((message.headers or {}).get("ticket"), message.decode())

    def _heard(self, ticket: object, said: object) -> None:
        if not isinstance(said, dict):
            self.unreadable += 1
            return
        asked = self._open.get(str(ticket))
        if asked is None:
            self._on_late(str(name) for name in said)
            return
        after = time.monotonic() - asked.sent
        asked.replies += [
            Reply(worker=str(name), body=body, after=after) for name, body in said.items()
        ]

    def _returned(self, _error: object, _exchange: str, _key: str, message: Any) -> None:
        asked = self._open.get(str(message.properties.get("correlation_id")))
        if asked is not None:
            asked.receivers = 0


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
