"""The watcher where RabbitMQ is the broker and PostgreSQL has the rows: what it tells, and what it says it can't."""

import signal
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from knowledge_base_agent.deployment import Deployment, open_deployment
from knowledge_base_agent.fleet.deadline import Deadline
from knowledge_base_agent.records.alerts import State
from knowledge_base_agent.watching.trouble import Kind
from knowledge_base_agent.watching.watcher import Watcher
from tests.fleet.running import Site
from tests.operations.place import Shell, notes
from tests.records.deployment import settings_for
from tests.servers import RedisSpace, rabbitmq_vhost
from tests.watching.test_watcher import alerts, watched_until


@pytest.fixture
def rabbit(redis_space: RedisSpace, tmp_path: Path) -> Iterator[RedisSpace]:
    """Servers of which the broker is RabbitMQ."""
    with rabbitmq_vhost() as broker:
        yield replace(redis_space, broker_url=broker)


@pytest.fixture
def site(rabbit: RedisSpace, tmp_path: Path) -> Iterator[Site]:
    """A broker on which nothing runs yet."""
    found = Site.on(rabbit, tmp_path)
    yield found
    found.stop()


@pytest.fixture
def deployment(site: Site, rabbit: RedisSpace, postgres_url: str) -> Iterator[Deployment]:
    """A deployment with an impatient watcher."""
    settings = settings_for(rabbit, postgres_url, alert_running_seconds=1.0, watch_seconds=1)
    opened = open_deployment(settings, site.app())
    yield opened
    opened.close()


def test_a_loop_and_a_queue_are_told_and_a_killed_worker_is_said_to_be_untold(
    site: Site, deployment: Deployment
) -> None:
    site.start("w1@rabbit", "-c", "1")
    site.await_workers(deployment.fleet, 1)
    task = deployment.app.send_task("tiny.nap", [600]).id
    site.await_began([task])
    for _ in range(20):
        deployment.app.send_task("tiny.quick")
    watcher = Watcher(deployment)
    assert task in watched_until(watcher, deployment, Kind.TOO_LONG, State.OPEN).sentence
    watched_until(watcher, deployment, Kind.QUEUE_DEEP, State.OPEN)

    deployment.fleet.revoke(Deadline.after(5), [task], destination=["w1@rabbit"], terminate=True)
    watched_until(watcher, deployment, Kind.TOO_LONG, State.RESOLVED)
    watched_until(watcher, deployment, Kind.QUEUE_DEEP, State.RESOLVED)

    site.signal("w1@rabbit", signal.SIGKILL)
    site.processes["w1@rabbit"].wait(15)
    deployment.app.send_task("tiny.quick")
    watched_until(watcher, deployment, Kind.QUEUE_UNTAKEN, State.OPEN)
    assert alerts(deployment.engine, Kind.WORKER_GONE) == []
    said = notes(Shell(deployment=deployment).asks("alerts"))
    assert "never told: a worker that is gone without a goodbye" in said
