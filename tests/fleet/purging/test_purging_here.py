"""A purge on a connection that lives is made in its asker's own thread: once or not at all, and within its time."""

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
import redis

from knowledge_base_agent.fleet import purging
from knowledge_base_agent.fleet.deadline import Deadline
from knowledge_base_agent.fleet.fleet import Fleet
from knowledge_base_agent.problems import Away
from tests.closing import close_app
from tests.faults.proxy import Proxy
from tests.fleet.asking_here import HARMS, refuse
from tests.fleet.purging.queues import QUEUES, aside, counted, transactions
from tests.fleet.tiny_app import tiny_app
from tests.servers import valkey_server
from tests.waiting import wait_until

undoable = pytest.mark.parametrize("undoable", [True, False])


@undoable
def test_no_other_thread_is_asked_where_a_connection_lives(
    fleet: Fleet, broker: redis.Redis, monkeypatch: pytest.MonkeyPatch, undoable: bool
) -> None:
    kept = aside(fleet) if undoable else None
    monkeypatch.setattr(purging, "within", refuse)

    done = fleet.purging.purge(Deadline.after(5), QUEUES, aside=kept)

    assert [(one.removed, one.problem) for one in done] == [(7, None), (3, None)]
    assert counted(broker) == [0, 0, 0]
    assert broker.exists(*(one.aside for one in kept.lists)) == 3 if kept else True


@pytest.mark.parametrize("why", ["it was never there", "it broke", "it broke meanwhile"])
def test_another_thread_is_asked_where_none_lives_and_nothing_was_sent(
    fleet: Fleet,
    proxy: Proxy,
    broker: redis.Redis,
    monkeypatch: pytest.MonkeyPatch,
    why: str,
) -> None:
    monkeypatch.setattr(purging, "within", refuse)
    before = transactions(broker)
    if why == "it was never there":
        fleet.close()
    elif why == "it broke":
        proxy.cut()
    else:
        proxy.cut_at(b"PING")

    with pytest.raises(AssertionError, match="another thread"):
        fleet.purging.purge(Deadline.after(5), QUEUES)

    assert (counted(broker), transactions(broker)) == ([5, 2, 3], before)


def test_nothing_is_begun_after_the_deadline(fleet: Fleet, broker: redis.Redis) -> None:
    with pytest.raises(Away, match="did not answer in time"):
        fleet.purging.purge(Deadline.after(0), QUEUES)
    assert counted(broker) == [5, 2, 3]


def test_a_slow_way_there_is_waited_for(fleet: Fleet, proxy: Proxy, broker: redis.Redis) -> None:
    before = transactions(broker)
    proxy.delay(0.3)

    done = fleet.purging.purge(Deadline.after(30), QUEUES)

    assert [one.removed for one in done] == [7, 3]
    assert (counted(broker), transactions(broker)) == ([0, 0, 0], before + 2)


@undoable
def test_a_purge_whose_answer_is_lost_ends_at_its_deadline_and_its_connection_is_not_used_again(
    fleet: Fleet,
    proxy: Proxy,
    broker: redis.Redis,
    monkeypatch: pytest.MonkeyPatch,
    undoable: bool,
) -> None:
    kept, before = aside(fleet) if undoable else None, transactions(broker)
    proxy.black_hole_after(b"EXEC")
    began = time.monotonic()
    with monkeypatch.context() as patch:
        patch.setattr(purging, "within", refuse)
        first, second = fleet.purging.purge(Deadline.after(1), QUEUES, aside=kept)

    assert 0.9 < time.monotonic() - began < 1.5
    assert (first.removed, first.tried, second.tried) == (None, True, False)
    assert "did not answer in time" in str(first.problem)
    proxy.heal()
    wait_until(lambda: counted(broker) == [0, 0, 3], what="what was sent has its effect")
    (again,) = fleet.purging.purge(Deadline.after(5), ["other"])
    assert (again.removed, transactions(broker)) == (3, before + 2)


@HARMS
def test_a_broker_that_answers_in_drops_keeps_nobody_beyond_the_deadline(
    fleet: Fleet, proxy: Proxy, broker: redis.Redis, harm: Callable[[Any], None]
) -> None:
    before = transactions(broker)
    harm(proxy)
    began = time.monotonic()
    try:
        first, second = fleet.purging.purge(Deadline.after(1.2), QUEUES)
    except Away:
        tried = False
    else:
        assert (first.removed, second.tried) == (None, False)
        tried = first.tried

    assert time.monotonic() - began < 2
    proxy.heal()
    if tried:
        wait_until(lambda: counted(broker) == [0, 0, 3], what="what was sent has its effect")
    else:
        assert counted(broker) == [5, 2, 3]
    assert transactions(broker) == before + tried


def test_a_connection_that_is_closed_meanwhile_is_unconfirmed_and_costs_no_earlier_count(
    fleet: Fleet, proxy: Proxy, broker: redis.Redis, way: str
) -> None:
    # A bot that is told to stop closes its connections, whoever still waits on them.
    def told(done: int, _total: int) -> None:
        if done == 1:
            proxy.black_hole_after(b"EXEC")
            closing.start()

    closing = threading.Timer(0.5, fleet.close)
    first, second = fleet.purging.purge(Deadline.after(5), QUEUES, told=told)

    assert (first.removed, first.problem) == (7, None)
    assert (second.removed, second.tried) == (None, True)
    assert "The broker does not answer: " in str(second.problem), way
    proxy.heal()
    wait_until(lambda: counted(broker) == [0, 0, 0], what="what was sent has its effect")


def test_a_connection_that_is_closed_while_it_answers_in_drops_is_not_made_anew(
    fleet: Fleet, proxy: Proxy, broker: redis.Redis, way: str
) -> None:
    def close() -> None:
        proxy.black_hole()
        fleet.close()

    proxy.drip(0.05)
    closing = threading.Timer(0.7, close)
    closing.start()
    began = time.monotonic()

    first, second = fleet.purging.purge(Deadline.after(1.2), QUEUES)

    assert time.monotonic() - began < 2, way
    assert (first.removed, second.tried) == (None, False)


def test_a_server_that_refuses_transactions_has_lost_nothing(way: str) -> None:
    # All in one write, it would carry out one by one what was to be one step.
    with valkey_server() as server, redis.Redis.from_url(server.url(0)) as admin:
        admin.execute_command("ACL", "SETUSER", "less", "on", ">pw", "~*", "&*", "+@all", "-multi")
        admin.lpush("celery", *range(5))
        fleet = Fleet(tiny_app(server.url(0).replace("//", "//less:pw@"), None))
        aside(fleet)  # which connects
        with pytest.raises(Away, match=r"refuses: .*multi"):
            fleet.purging.purge(Deadline.after(5), ["celery"])
        assert admin.llen("celery") == 5, way
        fleet.close()
        close_app(fleet.app)
