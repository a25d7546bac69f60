"""On RabbitMQ, too, a question on a connection that lives is asked in its asker's own thread, and ends in time."""

import contextlib
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from knowledge_base_agent.fleet import amqp_replies, broadcast
from knowledge_base_agent.fleet.deadline import Deadline
from knowledge_base_agent.fleet.fleet import Fleet
from knowledge_base_agent.fleet.views import FleetView
from knowledge_base_agent.problems import Away
from tests.closing import closed_app
from tests.faults.proxy import Proxy
from tests.fleet.asking_here import HARMS, refuse
from tests.fleet.running import Site
from tests.fleet.tiny_app import tiny_app
from tests.servers import RedisSpaces, rabbitmq_vhost

WORKERS = ("w1@rabbit", "w2@rabbit")


@pytest.fixture(scope="module")
def site(redis_spaces: RedisSpaces, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Two workers that can be counted, on a virtual host of their own."""
    with redis_spaces.one() as space, rabbitmq_vhost() as url:
        place = Site(
            broker_url=url,
            result_url=space.result_url,
            ledger_url=space.progress_url,
            log=tmp_path_factory.mktemp("workers"),
        )
        fleet = place.fleet()
        try:
            for worker in WORKERS:
                place.start(worker, "-P", "solo")
            place.await_workers(fleet, len(WORKERS))
            yield place
        finally:
            fleet.close()
            place.stop()


@pytest.fixture
def asker(site: Site, between: Proxy) -> Iterator[Fleet]:
    """A fleet that knows both workers, through that."""
    with closed_app(tiny_app(between.url(site.broker_url), None)) as app:
        fleet = Fleet(app)
        assert look(fleet, 1.5).answered == len(WORKERS)
        yield fleet
        between.heal()
        fleet.close()


def look(fleet: Fleet, seconds: float = 60) -> FleetView:
    return fleet.workers.look(Deadline.after(seconds), fresh=True)


@pytest.mark.parametrize("piece", [amqp_replies._PIECE, 64, 1])
def test_no_other_thread_is_asked_where_a_connection_lives(
    asker: Fleet, monkeypatch: pytest.MonkeyPatch, piece: int
) -> None:
    """Whatever pieces of a frame the socket gives at once."""
    monkeypatch.setattr(broadcast, "within", refuse)
    monkeypatch.setattr(broadcast, "_GRACE", 60)
    monkeypatch.setattr(amqp_replies, "_PIECE", piece)
    for _ in range(5):
        seen = look(asker)
        assert tuple(worker.name for worker in seen.workers) == WORKERS
        assert seen.took.total_seconds() < 30, "it ends when all who are counted have answered"


@pytest.mark.parametrize("change", ["a connection that broke", "a late answer"])
def test_another_thread_is_asked_for_whatever_may_take_its_time(
    asker: Fleet, between: Proxy, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    if change == "a connection that broke":
        between.cut()
    else:
        between.delay(0.3)
        with contextlib.suppress(
            Away
        ):  # or nobody answered: the broker is asked in vain who is missing
            assert not look(asker, 0.2).answered
        between.heal()
    monkeypatch.setattr(broadcast, "within", refuse)
    with pytest.raises(AssertionError, match="another thread"):
        look(asker)
    monkeypatch.undo()
    assert look(asker).answered == len(WORKERS)


@HARMS
def test_a_broker_that_falls_silent_or_answers_in_drops_keeps_nobody_beyond_the_deadline(
    asker: Fleet, between: Proxy, harm: Callable[[Any], None]
) -> None:
    harm(between)
    started = time.monotonic()
    try:
        seen = look(asker, 0.6)
    except Away:
        pass
    else:
        assert not seen.answered
        assert seen.complete is not True
    assert time.monotonic() - started < 1
    between.heal()
    assert look(asker, 5).answered == len(WORKERS)
