"""Nobody there: no workers, a broker or a result backend that is dead or frozen."""

import logging
import signal
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import redis

from knowledge_base_agent.fleet.broadcast import SOURCE as BROKER
from knowledge_base_agent.fleet.connections import LOGS, PROGRESS, RESULTS, Reachable, Unreachable
from knowledge_base_agent.fleet.deadline import Deadline, Unknown
from knowledge_base_agent.fleet.fleet import Fleet
from knowledge_base_agent.fleet.question import Question
from knowledge_base_agent.fleet.redis_state import RedisState
from knowledge_base_agent.problems import Away
from tests.fleet.responder import responders
from tests.fleet.running import Site
from tests.fleet.tiny_app import tiny_app
from tests.servers import Valkey, free_port, valkey_server
from tests.waiting import wait_until


@pytest.fixture(scope="module")
def freezer() -> Iterator[Valkey]:
    """A Valkey of this module's own, to be frozen."""
    with valkey_server() as server:
        yield server
        server.process.send_signal(signal.SIGCONT)


@pytest.fixture
def closing() -> Iterator[Callable[[Fleet], Fleet]]:
    """What closes a fleet at the end of a test."""
    fleets: list[Fleet] = []

    def keep(fleet: Fleet) -> Fleet:
        fleets.append(fleet)
        return fleet

    yield keep
    for fleet in fleets:
        fleet.close()


def test_without_workers_the_answer_is_none_at_once_and_certain(fleet: Fleet) -> None:
    started = time.monotonic()
    view = fleet.workers.look(Deadline.after(10))
    assert time.monotonic() - started < 2
    assert (view.receivers, view.answered, view.complete) == (0, 0, True)


def test_a_revoke_that_nobody_would_hear_is_refused(fleet: Fleet) -> None:
    view = fleet.workers.look(Deadline.after(5))
    with pytest.raises(Away, match="nobody hears") as told:
        fleet.revoke(Deadline.after(5), ["t-1"], destination=fleet.tellable(view))
    assert told.value.source == "the workers"


def test_a_revoke_to_a_worker_that_has_gone_is_a_failure_and_no_success(fleet: Fleet) -> None:
    outcome = fleet.revoke(Deadline.after(0.5), ["t-1"], destination=["gone@host"])
    assert outcome.failed
    assert outcome.unconfirmed == ("t-1",)


def test_a_dead_broker_is_named_in_time(closing: Callable[[Fleet], Fleet], site: Site) -> None:
    fleet = closing(Fleet(tiny_app(f"redis://127.0.0.1:{free_port()}/0", site.result_url)))
    started = time.monotonic()
    questions: list[Callable[[], Any]] = [
        lambda: fleet.workers.look(Deadline.after(3)),
        lambda: fleet.queues.depths(Deadline.after(3)),
        lambda: fleet.find_pending(Deadline.after(3), ["t-1"]),
        lambda: fleet.revoke(Deadline.after(3), ["t-1"], destination=["w"]),
    ]
    for ask in questions:
        with pytest.raises(Away) as told:
            ask()
        assert told.value.source == BROKER
        assert "refused" in told.value.what
    assert time.monotonic() - started < 3


def test_a_broker_that_forbids_control_is_said_to_refuse_though_tasks_can_be_published(
    closing: Callable[[Fleet], Fleet], freezer: Valkey
) -> None:
    with redis.Redis.from_url(freezer.url(0)) as admin:
        admin.execute_command("ACL", "SETUSER", "mute", "on", ">pw", "~*", "+@all", "resetchannels")
    url = freezer.url(0).replace("redis://", "redis://mute:pw@")
    fleet = closing(Fleet(tiny_app(url, None)))
    fleet.app.tasks["tiny.quick"].delay()

    with pytest.raises(Away, match=r"The broker refuses: .*channel") as told:
        fleet.workers.look(Deadline.after(3))

    assert "ACL" in told.value.cure
    assert "pw" not in str(told.value)
    queue = fleet.queues.depths(Deadline.after(3)).named("celery")
    assert queue is not None
    assert queue.ready == 1


def test_a_frozen_broker_costs_each_caller_its_deadline_and_ten_at_once_do_not_hang(
    closing: Callable[[Fleet], Fleet], freezer: Valkey
) -> None:
    fleet = closing(Fleet(tiny_app(freezer.url(0), None)))
    assert fleet.workers.look(Deadline.after(5)).complete
    freezer.process.send_signal(signal.SIGSTOP)
    try:
        started = time.monotonic()
        with ThreadPoolExecutor(10) as pool:
            looks = [
                pool.submit(fleet.workers.look, Deadline.after(0.5), fresh=True) for _ in range(10)
            ]
        took = time.monotonic() - started
    finally:
        freezer.process.send_signal(signal.SIGCONT)

    assert took < 1
    assert all(isinstance(one.exception(), Away) for one in looks)
    wait_until(lambda: _answers(fleet), what="it answers after the thaw")


def _answers(fleet: Fleet) -> bool:
    try:
        return fleet.workers.look(Deadline.after(1), fresh=True).complete is True
    except Away:
        return False


def test_a_command_of_which_it_was_said_that_the_broker_did_not_answer_is_not_sent_at_the_thaw(
    closing: Callable[[Fleet], Fleet], freezer: Valkey, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "knowledge_base_agent.fleet.deadline")
    fleet = closing(Fleet(tiny_app(freezer.url(3), None)))
    with responders(fleet.app, ["w"], lambda _command, _index: {"ok": "done"}) as (one,):
        assert fleet.broadcaster.ask(Deadline.after(5), Question(command="ping")).complete
        freezer.process.send_signal(signal.SIGSTOP)
        try:
            with pytest.raises(Away, match="did not answer in time"):
                fleet.command(Deadline.after(0.5), "shutdown", ["w"])
        finally:
            freezer.process.send_signal(signal.SIGCONT)
        wait_until(lambda: "ended after its deadline" in caplog.text, what="it has ended")
        assert fleet.broadcaster.ask(Deadline.after(5), Question(command="ping")).complete
        assert one.heard == ["ping", "ping"]


def test_nothing_is_revoked_while_the_result_backend_is_frozen(
    closing: Callable[[Fleet], Fleet], freezer: Valkey, site: Site
) -> None:
    fleet = closing(Fleet(tiny_app(site.broker_url, freezer.url(1))))
    with responders(fleet.app, ["w"], lambda _command, _index: {"ok": "revoked"}) as (one,):
        freezer.process.send_signal(signal.SIGSTOP)
        try:
            with pytest.raises(Away) as told:
                fleet.revoke(Deadline.after(0.6), ["t-1"], destination=["w"])
        finally:
            freezer.process.send_signal(signal.SIGCONT)
        assert told.value.source == RESULTS
        assert one.heard == []

        wait_until(lambda: _revokes(fleet), what="it is told after the thaw")
        assert one.heard == ["revoke"]


def _revokes(fleet: Fleet) -> bool:
    try:
        return not fleet.revoke(Deadline.after(2), ["t-1"], destination=["w"]).failed
    except Away:
        return False


def test_a_check_says_which_source_is_away_and_since_when_and_no_other_waits_for_it(
    closing: Callable[[Fleet], Fleet], freezer: Valkey, site: Site
) -> None:
    app = tiny_app(site.broker_url, site.result_url)
    fleet = closing(
        Fleet(app, progress_url=freezer.url(2), logs_url=f"redis://127.0.0.1:{free_port()}/0")
    )
    first = fleet.check(Deadline.after(3))
    seen = fleet.sightings.of(PROGRESS).last_seen
    freezer.process.send_signal(signal.SIGSTOP)
    try:
        second, third = fleet.check(Deadline.after(0.3)), fleet.check(Deadline.after(0.3))
    finally:
        freezer.process.send_signal(signal.SIGCONT)

    reached = {name for name, health in first.items() if isinstance(health, Reachable)}
    assert reached == {BROKER, RESULTS, PROGRESS}
    assert isinstance(second[BROKER], Reachable)
    once, twice = second[PROGRESS], third[PROGRESS]
    assert isinstance(once, Unreachable)
    assert isinstance(twice, Unreachable)
    assert once.last_seen == seen
    assert twice.since == once.since > (seen or twice.since)
    wait_until(
        lambda: isinstance(fleet.check(Deadline.after(1))[PROGRESS], Reachable), what="it is back"
    )
    assert fleet.sightings.of(PROGRESS).away_since is None


def test_memory_policy_and_evicted_keys_of_each_redis_are_told_and_a_dead_one_is_unknown(
    closing: Callable[[Fleet], Fleet], freezer: Valkey, site: Site
) -> None:
    app = tiny_app(site.broker_url, "db+sqlite:///:memory:")
    dead = f"redis://127.0.0.1:{free_port()}/0"
    fleet = closing(Fleet(app, progress_url=freezer.url(2), logs_url=dead))
    with redis.Redis.from_url(freezer.url(2)) as admin:
        admin.config_set("maxmemory-policy", "allkeys-lru")
        admin.config_set("maxmemory", "64mb")

    states = fleet.redis_states(Deadline.after(3))

    progress, broker = states[PROGRESS], states[BROKER]
    assert isinstance(progress, RedisState)
    assert isinstance(broker, RedisState)
    assert (progress.policy, progress.max_memory) == ("allkeys-lru", 64 * 1024 * 1024)
    assert progress.may_evict_queues
    assert not broker.may_evict_queues
    assert broker.evicted_keys == 0
    assert (broker.used_memory or 0) > 0
    assert isinstance(states[LOGS], Unknown)
    assert states[RESULTS] == Unknown(reason="the result backend is no Redis.")
