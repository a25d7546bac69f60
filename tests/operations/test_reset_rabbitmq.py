"""A complete reset where RabbitMQ is the broker: what it gives back after a worker's end is removed too."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.operations.place import table
from tests.operations.test_reset import Emergency, emergency, none_of_37_runs
from tests.servers import RedisSpaces, rabbitmq_vhost
from tests.waiting import wait_until


@pytest.fixture
def night(redis_spaces: RedisSpaces, postgres_url: str, tmp_path: Path) -> Iterator[Emergency]:
    """An emergency on RabbitMQ, with rows in PostgreSQL."""
    with (
        redis_spaces.one() as space,
        rabbitmq_vhost() as broker,
        emergency(replace(space, broker_url=broker), postgres_url, tmp_path) as opened,
    ):
        yield opened


def test_of_37_tasks_none_runs_after_a_complete_reset_on_rabbitmq(night: Emergency) -> None:
    none_of_37_runs(night)


def test_what_comes_back_when_the_worker_has_ended_is_removed_as_well(night: Emergency) -> None:
    night.start("rabbit@reset")
    night.send(0, 3, countdown=60)
    wait_until(lambda: night.held()[2] == 3, what="the ETA tasks are with the worker")
    report = night.confirms(night.previews("reset --complete --reason test"))
    assert report.succeeded, report
    steps = {str(row.cells[1]): str(row.cells[3]) for row in table(report, "Journal").values()}
    assert steps["purge again"].startswith("3 messages more removed")
    assert "3 tasks revoked" in steps["revoke"]
