"""The same shell, where RabbitMQ is the broker."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.operations.crew import Crew, crew
from tests.servers import RedisSpace, rabbitmq_vhost
from tests.undo.on_rabbitmq.lying import declare


@pytest.fixture
def broker() -> Iterator[str]:
    """The URL of a virtual host of RabbitMQ's, with the queue of `tiny_app` in it."""
    with rabbitmq_vhost() as url:
        declare(url, "celery")
        yield url


@pytest.fixture
def alone(broker: str, redis_space: RedisSpace, tmp_path: Path) -> Iterator[Crew]:
    """Somebody at the shell; nobody takes what is published."""
    with crew(replace(redis_space, broker_url=broker), tmp_path) as found:
        yield found
