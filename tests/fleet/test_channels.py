"""On RabbitMQ a connection that is kept for years opens no more channels than it closes."""

from typing import Any

from knowledge_base_agent.fleet.deadline import Deadline
from knowledge_base_agent.fleet.line import Line
from knowledge_base_agent.fleet.question import Asked, Question
from knowledge_base_agent.fleet.worker_words import LOOK
from tests.closing import closed_app
from tests.fleet.tiny_app import tiny_app
from tests.servers import rabbitmq_vhost


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
