"""What pausing and resizing promise, where the broker is RabbitMQ, and where the rows are in PostgreSQL."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from tests.operations.crew import Crew, crew
from tests.operations.test_pause import (
    test_a_misspelt_queue_is_not_paused as test_a_misspelt_queue_is_not_paused,
)
from tests.operations.test_pause import (
    test_a_pause_for_a_time_ends_by_itself as test_a_pause_for_a_time_ends_by_itself,
)
from tests.operations.test_pause import (
    test_a_worker_that_joins_a_paused_queue_does_not_drain_it as test_a_joiner_does_not_drain_it,
)
from tests.operations.test_workers import (
    test_growing_and_shrinking_is_seen_and_not_believed as test_growing_is_seen_and_not_believed,
)
from tests.servers import RedisSpaces, postgres_database, rabbitmq_vhost

__all__ = [
    "test_a_joiner_does_not_drain_it",
    "test_a_misspelt_queue_is_not_paused",
    "test_a_pause_for_a_time_ends_by_itself",
    "test_growing_is_seen_and_not_believed",
]


@pytest.fixture(scope="module", params=["redis", "rabbitmq"])
def here(
    request: pytest.FixtureRequest,
    redis_spaces: RedisSpaces,
    migrated_postgres: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Crew]:
    """One worker of two slots, on either broker, with PostgreSQL."""
    folder = tmp_path_factory.mktemp("crew")
    with redis_spaces.one() as space, postgres_database(like=migrated_postgres) as url:
        if request.param == "redis":
            with crew(space, folder, url) as found:
                found.hire("first", "-c", "2")
                yield found
        else:
            with (
                rabbitmq_vhost() as broker,
                crew(replace(space, broker_url=broker), folder, url) as found,
            ):
                found.hire("first", "-c", "2")
                yield found
