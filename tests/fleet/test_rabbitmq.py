"""The same questions where RabbitMQ is the broker: what it can't tell is said to be unknown."""

import secrets
import signal
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from celery import Celery
from kombu import Connection, Queue
from kombu.pools import connections, producers

from knowledge_base_agent.fleet import broadcast
from knowledge_base_agent.fleet.broadcast import SOURCE as BROKER
from knowledge_base_agent.fleet.connections import Reachable
from knowledge_base_agent.fleet.deadline import Deadline
from knowledge_base_agent.fleet.fleet import Fleet
from knowledge_base_agent.fleet.question import Question
from knowledge_base_agent.fleet.verifying import Fate
from knowledge_base_agent.fleet.views import FleetView
from knowledge_base_agent.fleet.worker_words import ENROLLED, LOOK, register_of
from tests.fleet.running import Site
from tests.fleet.tiny_app import tiny_app
from tests.servers import RABBITMQ_URL, RedisSpaces, absent
from tests.waiting import wait_until

NAME = f"kbtest{secrets.token_hex(4)}"
"""Its own exchanges and queues in the virtual host: others' workers hear nothing of this."""


class RabbitSite(Site):
    """A site whose broker is RabbitMQ."""

    def app(self, name: str = "tiny") -> Celery:
        """Return the app with names of its own."""
        return tiny_app(self.broker_url, self.result_url, name=name, own=NAME)


@pytest.fixture(scope="module")
def site(redis_spaces: RedisSpaces, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """RabbitMQ as the broker, Valkey for results and ledger; nothing of ours is left behind."""
    with Connection(RABBITMQ_URL, connect_timeout=2) as connection:
        try:
            connection.ensure_connection(max_retries=0)
        except connection.connection_errors:
            absent("RabbitMQ")
    with redis_spaces.one() as space:
        place = RabbitSite(
            broker_url=RABBITMQ_URL,
            result_url=space.result_url,
            ledger_url=space.progress_url,
            log=tmp_path_factory.mktemp("workers"),
        )
        yield place
        place.stop()
    _close_pools(place.app())
    with Connection(RABBITMQ_URL) as connection:
        channel: Any = connection.channel()
        for queue in (NAME, f"{NAME}-idle", register_of(NAME)):
            channel.queue_delete(queue)
        for exchange in (NAME, f"{NAME}.pidbox", f"reply.{NAME}.pidbox", f"{NAME}ev"):
            channel.exchange_delete(exchange)


def _close_pools(app: Celery) -> None:
    """Close what publishing opened: kombu keeps its pools for the whole process, by connection."""
    for pools in (producers, connections):
        pool = pools.pop(app.connection_for_write(), None)
        if pool is not None:
            pool.force_close_all()


@pytest.fixture(scope="module")
def workers(site: Site) -> Site:
    """Two prefork workers with one slot each."""
    site.start("w1@rabbit", "-c", "1", TINY_OWN=NAME)
    site.start("w2@rabbit", "-c", "1", TINY_OWN=NAME)
    fleet = site.fleet()
    site.await_workers(fleet, 2)
    fleet.close()
    return site


def counted() -> int:
    """Return how many workers RabbitMQ counts for us, as it tells another client."""
    with Connection(RABBITMQ_URL) as connection:
        channel: Any = connection.channel()
        return int(channel.queue_declare(register_of(NAME), passive=True).consumer_count)


def view(fleet: Fleet, *, within: float = 5) -> FleetView:
    return fleet.workers.look(Deadline.after(within), fresh=True)


def test_nobody_there_is_known_at_once_for_the_question_comes_back(
    site: Site, fleet: Fleet
) -> None:
    started = time.monotonic()
    seen = view(fleet)
    assert time.monotonic() - started < 2
    assert (seen.receivers, seen.complete) == (0, True)


def test_how_many_received_the_question_is_unknown_and_said_so_and_a_second_look_is_quick(
    workers: Site, fleet: Fleet
) -> None:
    first = view(fleet, within=1)
    started = time.monotonic()
    second = view(fleet)
    took = time.monotonic() - started

    for seen in (first, second):
        assert seen.answered == 2
        assert (seen.receivers, seen.complete, seen.unnamed) == (None, None, None)
        assert "does not tell how many" in (seen.why_unknown or "")
    assert took < 1


def test_a_question_ends_when_all_who_are_counted_have_answered(
    workers: Site, fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Quiet alone would end it only after a minute here, and no deadline is that near."""
    view(fleet, within=1)
    monkeypatch.setattr(broadcast, "_GRACE", 60)
    assert view(fleet, within=60).took < timedelta(seconds=30)

    workers.start("w3@rabbit", "-c", "1", TINY_OWN=NAME)
    try:
        wait_until(lambda: counted() == 3, within=30, what="a third worker is counted")
        seen = view(fleet, within=60)
    finally:
        workers.kill("w3@rabbit")
    assert [worker.name for worker in seen.workers] == ["w1@rabbit", "w2@rabbit", "w3@rabbit"]
    assert seen.took < timedelta(seconds=30)
    assert (seen.receivers, seen.complete) == (None, None), "others may be there, uncounted"
    wait_until(lambda: counted() == 2, what="one that was killed is counted no more")


def test_who_is_not_counted_is_waited_for(workers: Site, fleet: Fleet) -> None:
    """A worker without our commands tells no number: it is listened for as long as ever."""
    workers.start("plain@rabbit", "-c", "1", TINY_OWN=NAME, TINY_KNOWS_LOOK="0")
    try:
        workers.await_workers(fleet, 3)
        assert counted() == 2
        assert view(fleet).answered == 3
    finally:
        workers.kill("plain@rabbit")
    wait_until(lambda: view(fleet, within=1).answered == 2, what="it is gone")


def test_a_frozen_worker_is_named_and_its_neighbour_kept(workers: Site, fleet: Fleet) -> None:
    view(fleet, within=1)
    workers.signal("w1@rabbit", signal.SIGSTOP)
    try:
        seen = view(fleet, within=1)
    finally:
        workers.signal("w1@rabbit", signal.SIGCONT)
    assert seen.silent == ("w1@rabbit",)
    assert seen.complete is False
    assert [worker.name for worker in seen.workers] == ["w2@rabbit"]
    wait_until(lambda: view(fleet).answered == 2, what="it is back")


def test_a_queue_is_found_by_its_name_that_neither_settings_nor_workers_know(fleet: Fleet) -> None:
    fleet.app.tasks["tiny.quick"].apply_async(queue=f"{NAME}-idle")
    depths = fleet.queues.depths(Deadline.after(5), asked=(f"{NAME}-idle", f"{NAME}-typo"))
    assert [one.ready for one in depths.queues if one.name.startswith(f"{NAME}-")] == [1]
    assert fleet.purging.purge(Deadline.after(5), [f"{NAME}-idle"])[0].removed == 1


def test_depth_is_counted_and_what_amqp_does_not_tell_is_unknown(
    workers: Site, fleet: Fleet
) -> None:
    view(fleet, within=1)
    for _ in range(3):
        fleet.app.tasks["tiny.quick"].apply_async(queue=f"{NAME}-idle")
    for name in (f"{NAME}-idle", "never-declared"):
        fleet.app.amqp.queues.add(Queue(name))

    depths = fleet.queues.depths(Deadline.after(5), view(fleet))

    idle, missing, own = (
        depths.named(f"{NAME}-idle"),
        depths.named("never-declared"),
        depths.named(NAME),
    )
    assert idle is not None
    assert own is not None
    assert missing is not None
    assert (idle.ready, idle.consumer_count, idle.unacked, idle.backlog) == (3, 0, None, None)
    assert not idle.oldest_known
    assert own.consumer_count == 2
    assert (missing.ready, missing.unacked) == (0, 0)
    assert depths.unacked_total is None
    assert depths.notes
    search = fleet.find_pending(Deadline.after(2), ["t-1"])
    assert not search.complete
    assert "RabbitMQ" in (search.why_incomplete or "")


def test_a_task_is_stopped_and_seen_to_have_stopped_over_rabbitmq_too(
    workers: Site, fleet: Fleet
) -> None:
    one = fleet.app.tasks["tiny.nap"].delay(30).id
    workers.await_began([one])
    before = view(fleet, within=1)

    outcome = fleet.revoke(
        Deadline.after(5), [one], destination=fleet.tellable(before), terminate=True
    )
    verdict = fleet.verify_stopped(Deadline.after(5), [one], before)[one]

    assert outcome.sent == (one,)
    assert verdict.fate is Fate.STOPPED
    assert one not in workers.ledger("ended")
    assert fleet.locate(Deadline.after(2), ["never-was"]).unknown == {"never-was"}


def test_the_brokers_health_is_told(site: Site, fleet: Fleet) -> None:
    assert isinstance(fleet.check(Deadline.after(3))[BROKER], Reachable)


def test_workers_whose_queue_was_deleted_work_on_and_say_that_they_are_not_counted(
    workers: Site, fleet: Fleet
) -> None:
    """One of the last of this module: they are counted again when they connect anew."""
    with Connection(RABBITMQ_URL) as connection:
        channel: Any = connection.channel()
        channel.queue_delete(register_of(NAME))

    def enrolled() -> set[bool]:
        answers = fleet.broadcaster.ask(Deadline.after(2), Question(command=LOOK))
        return {reply.body[ENROLLED] for reply in answers.replies}

    wait_until(lambda: enrolled() == {False}, what="they say so")
    assert view(fleet).answered == 2


def test_a_worker_that_was_shut_down_is_not_called_silent(workers: Site, fleet: Fleet) -> None:
    """The last of this module, for it costs a worker."""
    assert view(fleet, within=1).answered == 2
    workers.signal("w1@rabbit", signal.SIGTERM)
    workers.processes["w1@rabbit"].wait()

    gone = view(fleet, within=1)

    assert (gone.answered, gone.silent) == (1, ())
