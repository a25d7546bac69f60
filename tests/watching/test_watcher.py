"""The watcher on real workers and a real Redis: what it opens, what it resolves, and that nothing is told twice."""

import contextlib
import signal
from collections.abc import Iterator
from typing import Any

import pytest
from redis import Redis
from sqlalchemy import Engine, select

from knowledge_base_agent.celery_app import make_app
from knowledge_base_agent.clock import utc_now
from knowledge_base_agent.deployment import Deployment, open_deployment
from knowledge_base_agent.fleet.deadline import Deadline
from knowledge_base_agent.operations.alerts_thresholds import thresholds_of
from knowledge_base_agent.records.alerts import (
    Alert,
    Opening,
    State,
    alert_of,
    open_alert,
    resolve,
    snooze,
    unresolved,
)
from knowledge_base_agent.records.alerts_tables import ALERTS
from knowledge_base_agent.records.database import open_engine, reading, writing
from knowledge_base_agent.settings import Settings
from knowledge_base_agent.watching.trouble import Kind
from knowledge_base_agent.watching.watcher import Watcher
from tests.fleet.running import Site
from tests.records.deployment import settings_for
from tests.servers import RedisSpace, RedisSpaces, valkey_server
from tests.waiting import wait_until

OPENING = Opening(
    key="queue-deep:celery", kind="queue-deep", subject="celery", severity="warning", title="t",
    sentence="s", figures={}, actions=(),
)  # fmt: skip


def alerts(engine: Engine, kind: Kind) -> list[Alert]:
    """Every alert of a kind that was ever opened."""
    query = select(ALERTS).where(ALERTS.c.kind == kind.value).order_by(ALERTS.c.number)
    with reading(engine) as connection:
        return [alert_of(row) for row in connection.execute(query).mappings()]


def watched_until(watcher: Watcher, deployment: Deployment, kind: Kind, state: State) -> Alert:
    """Check again and again until the one alert of this kind is in this state."""

    def there() -> list[Alert]:
        watcher.check()
        return [one for one in alerts(deployment.engine, kind) if one.state is state]

    found = wait_until(there, within=20, what=f"{kind} is {state}")
    assert len(alerts(deployment.engine, kind)) == 1, "told once"
    return found[0]


def test_a_task_that_runs_too_long_is_told_until_it_is_seen_to_have_ended(
    site: Site, deployment: Deployment
) -> None:
    site.start("w1@watched", "-c", "2")
    site.await_workers(deployment.fleet, 1)
    task = deployment.app.send_task("tiny.nap", [600]).id
    site.await_began([task])
    watcher = Watcher(deployment)
    told = watched_until(watcher, deployment, Kind.TOO_LONG, State.OPEN)
    assert task in told.sentence
    assert {one.label for one in told.actions} >= {"Revoke", "Logs"}

    fleet = deployment.fleet
    fleet.revoke(Deadline.after(5), [task], destination=["w1@watched"], terminate=True)
    over = watched_until(watcher, deployment, Kind.TOO_LONG, State.RESOLVED)
    assert over.outcome == "It does not run any more."


def test_a_worker_tells_its_memory_and_what_it_may_use(deployment: Deployment) -> None:
    look = deployment.fleet.workers.look(Deadline.after(3), fresh=True).workers[0]
    assert look.memory_used is not None
    assert look.memory_allowed is not None
    assert 10_000_000 < look.memory_used < look.memory_allowed


def test_queue_build_up_is_told_once_by_several_bots_and_after_a_restart(
    site: Site, deployment: Deployment
) -> None:
    busy = [deployment.app.send_task("tiny.nap", [600]).id for _ in range(2)]
    site.await_began(busy)
    for _ in range(20):
        deployment.app.send_task("tiny.quick")
    first, second = Watcher(deployment), Watcher(deployment)
    watched_until(first, deployment, Kind.QUEUE_DEEP, State.OPEN)
    assert second.check() is None, "one watches, the other waits"
    first.release()
    watched_until(second, deployment, Kind.QUEUE_DEEP, State.OPEN)
    assert second.check() is not None

    fleet = deployment.fleet
    fleet.revoke(Deadline.after(5), busy, destination=["w1@watched"], terminate=True)
    watched_until(second, deployment, Kind.QUEUE_DEEP, State.RESOLVED)


def test_a_worker_that_is_killed_is_missed_and_one_that_is_shut_down_is_not(
    site: Site, deployment: Deployment
) -> None:
    site.start("w2@watched", "-c", "1", "-P", "solo")
    site.start("w3@watched", "-c", "1", "-P", "solo")
    site.await_workers(deployment.fleet, 3)
    watcher = Watcher(deployment)
    watcher.check()
    site.signal("w2@watched", signal.SIGTERM)
    site.signal("w3@watched", signal.SIGKILL)
    for name in ("w2@watched", "w3@watched"):
        site.processes[name].wait(15)
    told = watched_until(watcher, deployment, Kind.WORKER_GONE, State.OPEN)
    assert told.subject == "w3@watched"

    site.start("w3@watched", "-c", "1", "-P", "solo")
    over = watched_until(watcher, deployment, Kind.WORKER_GONE, State.RESOLVED)
    assert over.outcome == "It answers again."


def test_a_broker_that_is_away_is_told_and_ends_no_other_alert(
    sqlite_url: str,
) -> None:
    gone = "redis://127.0.0.1:1/0"
    nowhere = RedisSpace(broker_url=gone, result_url=gone, progress_url=gone, logs_url=gone)
    settings = settings_for(nowhere, sqlite_url)
    blind = open_deployment(settings, make_app(settings))
    with writing(blind.engine) as connection:
        assert open_alert(connection, OPENING, utc_now())
        assert not open_alert(connection, OPENING, utc_now()), "the same trouble is open already"
    with contextlib.closing(blind):
        watched_until(Watcher(blind), blind, Kind.AWAY, State.OPEN)
        assert alerts(blind.engine, Kind.QUEUE_DEEP)[0].state is State.OPEN


def test_a_bot_that_may_control_no_worker_hears_of_it_before_anybody_asks(
    redis_space: RedisSpace, sqlite_url: str
) -> None:
    # Without channel rights tasks publish, and control raises (field notes).
    with contextlib.closing(Redis.from_url(redis_space.broker_url)) as client:
        admin: Any = client
        admin.execute_command("ACL", "SETUSER", "deaf", "on", ">pw", "~*", "+@all", "resetchannels")
        url = redis_space.broker_url.replace("://", "://deaf:pw@")
        settings = settings_for(redis_space, sqlite_url, broker_url=url)
        try:
            with contextlib.closing(open_deployment(settings, make_app(settings))) as opened:
                told = watched_until(Watcher(opened), opened, Kind.AWAY, State.OPEN)
        finally:
            admin.execute_command("ACL", "DELUSER", "deaf")
    assert "The broker refuses" in told.sentence
    assert "channel" in told.sentence


@pytest.fixture
def small(sqlite_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """A deployment on a Redis of its own that may use 6 MB, and drops keys beyond."""
    with valkey_server() as server:
        space = RedisSpaces(server)
        with space.one() as one, Redis.from_url(server.url(0)) as client:
            client.config_set("maxmemory", "6mb")
            client.config_set("maxmemory-policy", "allkeys-lru")
            settings = settings_for(one, sqlite_url)
            with make_app(settings) as app:
                opened = open_deployment(settings, app)
                yield opened
                opened.close()


def test_a_redis_that_is_full_and_loses_keys_is_told(small: Deployment) -> None:
    watcher = Watcher(small)
    watcher.check()
    with Redis.from_url(small.settings.progress_url) as client:
        for number in range(120):
            client.set(f"ballast:{number}", b"x" * 100_000)
    full = watched_until(watcher, small, Kind.REDIS_MEMORY, State.OPEN)
    assert "maxmemory" in full.sentence
    evicts = watched_until(watcher, small, Kind.REDIS_EVICTS, State.OPEN)
    assert "allkeys-lru" in evicts.sentence


def test_a_message_about_to_be_given_out_again_and_a_queue_that_nobody_takes_from_are_told(
    site: Site, deployment: Deployment
) -> None:
    app = deployment.app
    app.conf.broker_transport_options = {"visibility_timeout": 5}
    site.start("w4@watched", "-c", "1", TINY_VISIBILITY="5")
    wait_until(
        lambda: "w4@watched" in str(deployment.fleet.workers.look(Deadline.after(3), fresh=True)),
        within=30,
    )
    app.send_task("tiny.quick", countdown=600)
    app.send_task("tiny.quick", queue="nobody")
    watcher = Watcher(deployment)
    near = watched_until(watcher, deployment, Kind.REDELIVERY, State.OPEN)
    assert "it goes to another worker too, and its task runs twice" in near.sentence
    untaken = watched_until(watcher, deployment, Kind.QUEUE_UNTAKEN, State.OPEN)
    assert (untaken.subject, untaken.figures["ready"]) == ("nobody", 1)
    site.start("w5@watched", "-c", "1", "-P", "solo", "-Q", "nobody")
    watched_until(watcher, deployment, Kind.QUEUE_UNTAKEN, State.RESOLVED)


def test_one_trouble_is_one_row_on_both_databases_and_opens_anew_after_its_end(
    database_url: str,
) -> None:
    engine = open_engine(database_url)
    now = utc_now()
    with writing(engine) as connection:
        assert open_alert(connection, OPENING, now)
        assert not open_alert(connection, OPENING, now)
        first = unresolved(connection)[0]
        assert snooze(connection, first, "otto", now)
        assert resolve(connection, first, now, "over")
        assert not resolve(connection, first, now, "over"), "it ends once"
        assert open_alert(connection, OPENING, now)
        assert [one.id != first.id for one in unresolved(connection)] == [True]
    engine.dispose()


def test_thresholds_have_the_guides_figures() -> None:
    limits = thresholds_of(Settings.model_validate({}))
    assert (limits.running.total_seconds(), limits.queue_pending) == (4 * 3600, 10)
    assert (limits.worker_memory, limits.redis_bytes) == (0.8, 1_000_000_000)
