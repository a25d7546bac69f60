"""What a complete reset purges on RabbitMQ comes back with the rest."""

import pytest

from tests.operations.crew import Crew
from tests.undo.on_rabbitmq.lying import bodies, numbered, publish, ready
from tests.undo.test_purged_messages import undo_of


@pytest.mark.timeout(180)
def test_the_messages_of_a_complete_reset_come_back_too(alone: Crew, broker: str) -> None:
    publish(broker, "celery", numbered(130))
    before = bodies(broker, "celery")
    report = alone.confirms(alone.previews("reset --complete --reason test"))
    assert report.succeeded, report
    assert ready(broker, "celery") == 0
    done = alone.confirms(alone.previews(f"{undo_of(report)} --reason test"))
    assert done.succeeded, done
    assert bodies(broker, "celery") == before
