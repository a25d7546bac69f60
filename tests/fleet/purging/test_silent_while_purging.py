"""What a purge says and does where the broker falls silent, breaks off or refuses: exactly once, or not at all."""

import logging
import time

import pytest
import redis

from knowledge_base_agent.fleet.deadline import Deadline
from knowledge_base_agent.fleet.fleet import Fleet
from knowledge_base_agent.problems import Away
from tests.closing import close_app
from tests.faults.proxy import Proxy
from tests.fleet.purging.queues import QUEUES, aside, counted, transactions
from tests.fleet.tiny_app import tiny_app
from tests.servers import valkey_server
from tests.waiting import wait_until

pytestmark = pytest.mark.usefixtures("way")


def ends_late(caplog: pytest.LogCaptureFixture, way: str) -> None:
    """Wait for the end of a call that was left behind; in its asker's own thread there is none."""
    if way == "in its own thread":
        return
    wait_until(lambda: "ended after its deadline" in caplog.text, what="the call has ended")


@pytest.mark.parametrize("undoable", [True, False])
def test_a_broker_that_answers_too_late_has_lost_nothing(
    fleet: Fleet,
    proxy: Proxy,
    broker: redis.Redis,
    caplog: pytest.LogCaptureFixture,
    way: str,
    undoable: bool,
) -> None:
    caplog.set_level(logging.INFO)
    kept = aside(fleet) if undoable else None
    proxy.black_hole_after(b"PING")
    began = time.monotonic()

    with pytest.raises(Away, match=r"did not answer in time\. Nothing was removed"):
        fleet.purging.purge(Deadline.after(30), QUEUES, aside=kept)

    assert 1.5 < time.monotonic() - began < 4.5
    proxy.heal()
    ends_late(caplog, way)
    assert counted(broker) == [5, 2, 3]


def test_a_queue_before_which_the_broker_fell_silent_is_not_emptied_when_it_wakes(
    fleet: Fleet, proxy: Proxy, broker: redis.Redis, caplog: pytest.LogCaptureFixture, way: str
) -> None:
    caplog.set_level(logging.INFO)

    def told(done: int, _total: int) -> None:
        if done == 1:
            proxy.black_hole()

    first, second = fleet.purging.purge(Deadline.after(30), QUEUES, told=told, aside=aside(fleet))

    assert (first.removed, first.problem) == (7, None)
    assert (second.removed, second.tried) == (None, False)
    assert "did not answer in time" in str(second.problem)
    proxy.heal()
    ends_late(caplog, way)
    assert counted(broker) == [0, 0, 3]


@pytest.mark.parametrize("undoable", [True, False])
def test_a_purge_without_an_answer_is_unconfirmed_and_done_once(
    fleet: Fleet, proxy: Proxy, broker: redis.Redis, undoable: bool
) -> None:
    kept, before = aside(fleet) if undoable else None, transactions(broker)
    proxy.black_hole_after(b"EXEC")

    first, second = fleet.purging.purge(Deadline.after(3), QUEUES, aside=kept)

    assert (first.removed, first.tried) == (None, True)
    assert "did not answer in time" in str(first.problem)
    assert (second.removed, second.tried) == (None, False)
    proxy.heal()
    wait_until(lambda: counted(broker) == [0, 0, 3], what="what was sent has its effect")
    assert fleet.queues.depths(Deadline.after(5)).named("celery")
    assert transactions(broker) == before + 1


def test_a_purge_that_breaks_off_on_its_way_is_not_sent_again(
    fleet: Fleet, proxy: Proxy, broker: redis.Redis
) -> None:
    before = transactions(broker)
    proxy.cut_at(b"EXEC")

    first, second = fleet.purging.purge(Deadline.after(5), QUEUES, aside=aside(fleet))

    assert (first.removed, first.tried, second.tried) == (None, True, False)
    assert "does not answer" in str(first.problem)
    assert fleet.queues.depths(Deadline.after(5)).named("celery")
    assert (counted(broker), transactions(broker)) == ([5, 2, 3], before)


def test_a_connection_that_broke_while_nobody_used_it_is_made_anew(
    fleet: Fleet, proxy: Proxy, broker: redis.Redis
) -> None:
    kept = aside(fleet)
    proxy.cut()

    done = fleet.purging.purge(Deadline.after(5), QUEUES, aside=kept)

    assert [one.removed for one in done] == [7, 3]
    again = fleet.purging.purge(Deadline.after(5), QUEUES, aside=kept)
    assert [one.removed for one in again] == [7, 3], "it moves nothing more and counts the same"
    assert counted(broker) == [0, 0, 0]


def test_a_user_of_the_broker_may_lack_scripts_and_one_without_a_word_of_it_moves_nothing() -> None:
    with valkey_server() as server, redis.Redis.from_url(server.url(0)) as admin:
        allowed = ("on", ">pw", "~*", "&*", "+@all", "-@scripting")
        admin.execute_command("ACL", "SETUSER", "plain", *allowed)
        admin.execute_command("ACL", "SETUSER", "less", *allowed, "-pexpireat")
        for user in ("less", "plain"):
            admin.lpush("celery", *range(5))
            fleet = Fleet(tiny_app(server.url(0).replace("//", f"//{user}:pw@"), None))
            kept = aside(fleet)
            if user == "less":
                (refused, _) = fleet.purging.purge(Deadline.after(5), QUEUES, aside=kept)
                assert "pexpireat" in str(refused.problem)
                assert list(admin.scan_iter("*celery")) == [b"celery"]
                admin.delete("celery")
            else:
                (done, _) = fleet.purging.purge(Deadline.after(5), QUEUES, aside=kept)
                assert done.removed == 5
            fleet.close()
            close_app(fleet.app)
