"""Pools that can't stop a task, a worker that is deaf while it works, and another app on the same broker."""

from collections.abc import Callable, Iterator

import pytest

from knowledge_base_agent.fleet.deadline import Deadline
from knowledge_base_agent.fleet.fleet import Fleet
from knowledge_base_agent.fleet.revoking import terminate_refusals, why_not_terminate
from knowledge_base_agent.fleet.verifying import Fate
from knowledge_base_agent.fleet.views import FleetView, Pool
from tests.fleet.running import Site
from tests.waiting import wait_until


@pytest.fixture(scope="module")
def workers(site: Site) -> Iterator[Site]:
    """One worker with threads, one solo, and one of another app that does not know our command."""
    site.start("threads@pools", "-P", "threads", "-c", "2", "-Q", "threads")
    site.start("solo@pools", "-P", "solo", "-Q", "solo")
    site.start("foreign@pools", "-c", "1", "-Q", "foreign", TINY_NAME="other", TINY_KNOWS_LOOK="0")
    fleet = site.fleet()
    site.await_workers(fleet, 3)
    fleet.close()
    yield site
    site.stop()


def view(fleet: Fleet, *, within: float = 5) -> FleetView:
    return fleet.workers.look(Deadline.after(within), fresh=True)


def running(site: Site, fleet: Fleet, queue: str, seconds: float, *, app: str = "tiny") -> str:
    one: str = fleet.app.tasks[f"{app}.nap"].apply_async((seconds,), queue=queue).id
    site.await_began([one])
    return one


def test_threads_refuse_to_stop_a_task_and_the_reason_is_known_beforehand(
    workers: Site, fleet: Fleet
) -> None:
    one = running(workers, fleet, "threads", 2)
    before = view(fleet)
    (worker,) = (worker for worker in before.workers if worker.name == "threads@pools")

    assert (worker.pool, worker.concurrency, worker.can_terminate) == (Pool.THREADS, 2, False)
    assert "a thread can't be stopped" in (why_not_terminate(worker) or "")
    assert one in terminate_refusals(before, [one])

    outcome = fleet.revoke(Deadline.after(5), [one], destination=["threads@pools"], terminate=True)
    (refusal,) = outcome.refusals
    assert "NotImplementedError" in refusal.said
    verdict = fleet.verify_stopped(Deadline.after(0.5), [one], before)[one]
    assert verdict.fate is Fate.RUNNING
    wait_until(lambda: one in workers.ledger("ended"), what="the task runs on to its end")


def test_a_busy_solo_worker_is_silent_and_neither_idle_nor_gone(
    workers: Site, fleet: Fleet
) -> None:
    assert view(fleet).complete
    one = running(workers, fleet, "solo", 2)

    busy = view(fleet, within=0.5)
    queues = fleet.queues.depths(Deadline.after(2), busy).named("solo")

    assert busy.silent == ("solo@pools",)
    assert "solo@pools" in fleet.tellable(busy)
    assert queues is not None
    assert queues.consumers is None
    verdict = fleet.verify_stopped(Deadline.after(0.5), [one], busy)[one]
    assert verdict.fate is Fate.UNKNOWN
    wait_until(lambda: view(fleet).complete, what="it answers again after its task")


def test_a_worker_of_another_app_on_the_same_broker_is_shown_as_foreign_and_told_nothing(
    workers: Site, fleet: Fleet, open_fleet: Callable[[str], Fleet]
) -> None:
    wait_until(lambda: view(fleet).complete, what="everyone answers")
    seen = view(fleet)

    assert seen.foreign == ("foreign@pools",)
    assert fleet.tellable(seen) == ("solo@pools", "threads@pools")
    theirs = open_fleet("other")
    wait_until(lambda: view(theirs).complete, what="everyone answers")
    assert set(view(theirs).foreign) == {"solo@pools", "threads@pools"}
    assert theirs.tellable(view(theirs)) == ("foreign@pools",)


def test_a_worker_that_does_not_know_our_command_tells_as_much_and_hears_it_only_once(
    workers: Site, open_fleet: Callable[[str], Fleet]
) -> None:
    theirs = open_fleet("other")
    wait_until(lambda: view(theirs).complete, what="everyone answers")
    log = workers.log / "foreign@pools.log"
    complaints = log.read_text().count("KeyError('kb_look')")
    one = running(workers, theirs, "foreign", 3, app="other")
    later = theirs.app.tasks["other.quick"].apply_async(countdown=60, queue="foreign").id
    wait_until(lambda: len(view(theirs).held) == 2, what="it holds both")

    (worker,) = (worker for worker in view(theirs).workers if worker.name == "foreign@pools")

    assert (worker.pool, worker.busy, worker.postponed) == (Pool.PREFORK, 1, 1)
    assert [task.id for task in worker.active] == [one]
    assert [task.id for task in worker.scheduled] == [later]
    assert worker.scheduled[0].eta is not None
    assert worker.active[0].started_at is not None
    assert worker.active[0].process in (worker.processes or ())
    assert worker.queues == ("foreign",)
    assert worker.occupied is None
    assert theirs.locate(Deadline.after(5), [one, later]).found == {one, later}
    assert log.read_text().count("KeyError('kb_look')") == complaints

    before = view(theirs)
    theirs.revoke(Deadline.after(5), [one], destination=["foreign@pools"], terminate=True)
    verdict = theirs.verify_stopped(Deadline.after(9), [one], before)[one]
    assert verdict.fate is Fate.STOPPED
    assert one not in workers.ledger("ended")


def test_two_real_workers_of_one_name_are_both_seen(workers: Site, fleet: Fleet) -> None:
    workers.start("twin@pools", "-P", "threads", "-c", "1", "-Q", "left", key="twin-1")
    workers.start("twin@pools", "-P", "threads", "-c", "1", "-Q", "right", key="twin-2")
    workers.await_workers(fleet, 5)
    nap = fleet.app.tasks["tiny.nap"]
    ids = {nap.apply_async((20,), queue=queue).id for queue in ("left", "right")}
    workers.await_began(sorted(ids))

    seen = view(fleet)

    assert seen.duplicates == ("twin@pools",)
    assert {task.id for task in seen.held if task.worker == "twin@pools"} == ids
    twins = [worker.pid for worker in seen.workers if worker.name == "twin@pools"]
    assert len(set(twins)) == 2
