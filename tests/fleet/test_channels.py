"""On RabbitMQ a connection is kept for years: no channels pile up, and any reply may come on it."""

import json
import pickle
import zlib
from typing import Any

from kombu import Connection

from knowledge_base_agent.fleet.deadline import Deadline
from knowledge_base_agent.fleet.line import Line
from knowledge_base_agent.fleet.question import Asked, Question
from knowledge_base_agent.fleet.worker_words import LOOK
from tests.closing import closed_app
from tests.fleet.tiny_app import tiny_app
from tests.servers import rabbitmq_vhost
from tests.waiting import wait_until

JSON = "application/json"
PACKED = {"compression": "application/x-gzip"}


def test_asking_again_and_again_for_queues_that_are_not_there_opens_no_further_channels() -> None:
    """The broker refuses each such question and closes its channel, which amqp at once opens anew."""
    with rabbitmq_vhost() as url, closed_app(tiny_app(url, None)) as app:
        line = Line(app, lambda _names: None)
        try:
            for _ in range(20):
                asked = Asked(question=Question(command=LOOK))
                line.send(asked, Deadline.after(5))
                assert asked.enrolled is None
                assert line.bound(["gone@rabbit"]) == frozenset()
            connection: Any = vars(line)["_connection"]
            assert len(connection.connection.channels) < 10
        finally:
            line.close()


def test_a_pickled_or_broken_reply_among_good_ones_is_counted_and_costs_no_other() -> None:
    with rabbitmq_vhost() as url, closed_app(tiny_app(url, None)) as app:
        late: list[str] = []
        line = Line(app, late.extend)
        try:
            asked = Asked(question=Question(command="ping"))
            line.send(asked, Deadline.after(5))
            strange, good = _strange(asked.ticket), _good(asked.ticket)
            _publish(url, vars(line)["_key"], [*strange, *good])

            def two_came() -> bool:
                line.listen(1)
                return len(asked.replies) == 2

            wait_until(two_came, what="the last one came")
            assert {reply.worker: reply.body for reply in asked.replies} == {
                "w1": {"ok": "pöng"},
                "w2": {"ok": 2},
            }
            assert line.unreadable == len(strange)
            assert late == ["w0"]
        finally:
            line.close()


def _strange(ticket: str) -> list[tuple[Any, ...]]:
    """Replies that nobody reads: body, type, encoding and headers."""
    headers = {"ticket": ticket}
    return [
        (pickle.dumps({"w": 1}), "application/x-python-serialize", "binary", headers),
        (b"{", JSON, "utf-8", headers),
        (b"[1]", JSON, "utf-8", headers),
        (b"not packed", JSON, "utf-8", headers | PACKED),
        (b"{}", None, None, {}),
    ]


def _good(ticket: str) -> list[tuple[Any, ...]]:
    headers = {"ticket": ticket}
    packed = zlib.compress(b'{"w2": {"ok": 2}}')
    return [
        (json.dumps({"w1": {"ok": "pöng"}}).encode(), JSON, "utf-8", headers),
        (b'{"w0": 1}', JSON, "utf-8", {"ticket": "of an earlier question"}),
        (packed, JSON, "utf-8", headers | PACKED),
    ]


def _publish(url: str, key: str, replies: list[tuple[Any, ...]]) -> None:
    """Send raw replies to whoever listens by this key."""
    with Connection(url) as connection:
        channel: Any = connection.channel()
        for body, kind, encoding, headers in replies:
            message = channel.prepare_message(
                body, content_type=kind, content_encoding=encoding, headers=headers
            )
            channel.basic_publish(message, exchange="reply.celery.pidbox", routing_key=key)
        channel.close()
