"""Looking at real prefork workers."""

import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import redis

from knowledge_base_agent.fleet.deadline import Deadline
from knowledge_base_agent.fleet.fleet import Fleet
from knowledge_base_agent.fleet.question import Question
from knowledge_base_agent.fleet.receivers import CLIENT_NAME
from knowledge_base_agent.fleet.views import FleetView, Pool
from tests.fleet.running import Site
from tests.waiting import wait_until


@pytest.fixture(scope="module")
def workers(site: Site) -> Iterator[Site]:
    """Two prefork workers: w1 with two slots, w2 with one."""
    site.start("w1@look", "-c", "2", "-Q", "celery,one")  # a queue each, to say who gets what
    site.start("w2@look", "-c", "1", "-Q", "celery,two")
    fleet = site.fleet()
    site.await_workers(fleet, 2)
    fleet.close()
    yield site
    site.stop()


def now(fleet: Fleet) -> FleetView:
    return fleet.workers.look(Deadline.after(2), fresh=True)


def until_idle(fleet: Fleet) -> None:
    wait_until(lambda: not now(fleet).held, what="the workers idle")


def test_a_healthy_fleet_answers_in_milliseconds_instead_of_the_whole_timeout(
    workers: Site, fleet: Fleet
) -> None:
    times = []
    for _ in range(9):
        started = time.perf_counter()
        view = fleet.workers.look(Deadline.after(5), fresh=True)
        times.append(time.perf_counter() - started)
        assert (view.receivers, view.answered, view.complete) == (2, 2, True)
    assert sorted(times)[4] < 0.1


def test_a_look_tells_pool_slots_queues_memory_and_processes(workers: Site, fleet: Fleet) -> None:
    view = fleet.workers.look(Deadline.after(5))
    first, second = view.workers
    assert (first.name, second.name) == ("w1@look", "w2@look")
    assert (first.pool, first.concurrency, second.concurrency) == (Pool.PREFORK, 2, 1)
    assert first.queues == ("celery", "one")
    assert first.pid == workers.processes["w1@look"].pid
    assert len(first.processes or ()) == 2
    assert (first.memory_kb or 0) > 10_000
    assert first.uptime is not None
    assert abs((first.skew or view.took).total_seconds()) < 1
    assert first.ours is True
    assert first.can_terminate


def test_ten_inspections_at_once_all_come_back(workers: Site, fleet: Fleet) -> None:
    started = time.monotonic()
    with ThreadPoolExecutor(10) as pool:
        looks = [
            pool.submit(fleet.workers.look, Deadline.after(5), fresh=number % 2 == 0)
            for number in range(10)
        ]
        asked = [
            pool.submit(fleet.broadcaster.ask, Deadline.after(5), Question(command="ping"))
            for _ in range(10)
        ]
    assert all(one.result().complete for one in looks)
    assert all(one.result().answered == 2 for one in asked)
    assert time.monotonic() - started < 5


def test_arguments_stay_with_the_worker_unless_asked_for_and_two_megabytes_never_leave_it(
    workers: Site, fleet: Fleet
) -> None:
    nap = fleet.app.tasks["tiny.nap"]
    task = nap.delay(1.5, big="x" * 2_000_000, token="hunter2-hunter2")
    workers.await_began([task.id])

    answers = fleet.broadcaster.ask(Deadline.after(5), Question(command="kb_look"))
    bare = fleet.workers.look(Deadline.after(5))
    told = fleet.workers.look(Deadline.after(5), arguments=True)

    assert sum(len(str(reply.body)) for reply in answers.replies) < 10_000
    assert [one.arguments for one in bare.held if one.id == task.id] == [None]
    (shown,) = (one.arguments for one in told.held if one.id == task.id)
    assert shown is not None
    assert "1.5" in shown
    assert len(shown) <= 1024
    until_idle(fleet)


def test_a_frozen_worker_is_named_its_neighbours_kept_and_it_is_not_waited_for_twice(
    workers: Site, fleet: Fleet
) -> None:
    fleet.workers.look(Deadline.after(5))
    workers.signal("w2@look", signal.SIGSTOP)
    try:
        started = time.monotonic()
        first = fleet.workers.look(Deadline.after(1), fresh=True)
        took_first = time.monotonic() - started
        started = time.monotonic()
        second = fleet.workers.look(Deadline.after(5), fresh=True)
        took_second = time.monotonic() - started
    finally:
        workers.signal("w2@look", signal.SIGCONT)

    for view in (first, second):
        assert (view.receivers, view.answered) == (2, 1)
        assert view.silent == ("w2@look",)
        assert view.complete is False
        assert [worker.name for worker in view.workers] == ["w1@look"]
    assert took_first < 1.2
    assert took_second < 0.6
    wait_until(
        lambda: now(fleet).complete,
        what="the thawed worker is back",
    )


def test_a_first_question_of_a_new_process_names_the_frozen_worker_too(
    workers: Site, fleet: Fleet
) -> None:
    workers.signal("w1@look", signal.SIGSTOP)
    try:
        view = fleet.workers.look(Deadline.after(0.5))
    finally:
        workers.signal("w1@look", signal.SIGCONT)
    assert (view.silent, view.unnamed) == (("w1@look",), 0)
    workers.await_workers(fleet, 2)


def test_short_waits_never_say_that_there_are_no_workers(workers: Site, fleet: Fleet) -> None:
    fleet.workers.look(Deadline.after(5))
    for signal_number in (signal.SIGSTOP, signal.SIGCONT):
        for name in ("w1@look", "w2@look"):
            workers.signal(name, signal_number)
        if signal_number is signal.SIGSTOP:
            view = fleet.workers.look(Deadline.after(0.1), fresh=True)
            assert (view.receivers, view.silent) == (2, ("w1@look", "w2@look"))
    workers.await_workers(fleet, 2)


def test_a_dropped_connection_is_noticed_and_the_read_repeated_once(
    workers: Site, fleet: Fleet
) -> None:
    fleet.workers.look(Deadline.after(5))
    fleet.queues.depths(Deadline.after(5))
    with redis.Redis.from_url(workers.broker_url) as admin:
        ours = [one["id"] for one in admin.client_list() if one["name"] == CLIENT_NAME]
        assert ours
        for one in ours:
            admin.client_kill_filter(_id=one)
    assert fleet.workers.look(Deadline.after(5), fresh=True).complete
    assert fleet.queues.depths(Deadline.after(5)).queues


def test_an_emptied_broker_does_not_make_every_worker_look_silent(
    workers: Site, fleet: Fleet
) -> None:
    fleet.workers.look(Deadline.after(5))
    with redis.Redis.from_url(workers.broker_url) as admin:
        assert admin.delete("_kombu.binding.reply.celery.pidbox")
    assert fleet.workers.look(Deadline.after(5), fresh=True).complete


def fill(workers: Site, fleet: Fleet) -> list[str]:
    """Block all three slots, postpone three tasks, send ten of all priorities; return the ids of the first six."""
    nap, quick = fleet.app.tasks["tiny.nap"], fleet.app.tasks["tiny.quick"]
    blocking = [nap.apply_async((30,), queue=queue).id for queue in ("one", "one", "two")]
    workers.await_began(blocking)
    later = [quick.apply_async(countdown=60).id for _ in range(3)]
    wait_until(
        lambda: sum(worker.postponed for worker in now(fleet).workers) == 3,
        what="the workers postpone the ETA tasks",
    )
    for priority in range(10):
        quick.apply_async(priority=priority)
    wait_until(
        lambda: sum(worker.waiting for worker in now(fleet).workers) == 6,
        what="the workers take what they may in advance",
    )
    return blocking + later


def test_backlog_counts_priorities_prefetched_and_postponed_tasks(
    workers: Site, fleet: Fleet
) -> None:
    sent = fill(workers, fleet)

    view = fleet.workers.look(Deadline.after(5), fresh=True)
    queue = fleet.queues.depths(Deadline.after(5), view).named("celery")

    assert queue is not None
    assert queue.backlog == 13
    assert queue.scheduled == 3
    assert queue.unacked == 3 + 6
    assert sum((queue.by_priority or {}).values()) == queue.ready
    assert queue.consumers == ("w1@look", "w2@look")
    assert sum(worker.busy for worker in view.workers) == 3
    fleet.revoke(Deadline.after(5), sent, destination=fleet.tellable(view), terminate=True)
    wait_until(
        lambda: not any(worker.busy or worker.waiting for worker in now(fleet).workers),
        within=20,
        what="the slots are free",
    )


def test_a_killed_worker_has_left_and_is_neither_silent_nor_forgotten(
    workers: Site, fleet: Fleet
) -> None:
    """The last of this module, for it costs a worker."""
    assert now(fleet).answered == 2

    workers.processes["w2@look"].kill()

    wait_until(lambda: now(fleet).receivers == 1, what="the broker no longer counts it")
    view = now(fleet)
    assert (view.answered, view.silent, view.complete) == (1, (), True)
    (left,) = (known for known in view.roster if known.left is not None)
    assert left.name == "w2@look"
    assert left.last_heard is not None
