"""Revoking and stopping on real prefork workers, with the tasks' own ledger as the witness."""

import time
from collections.abc import Iterator
from typing import Any

import pytest

from knowledge_base_agent.fleet.deadline import Deadline
from knowledge_base_agent.fleet.fleet import Fleet
from knowledge_base_agent.fleet.pending import Waits
from knowledge_base_agent.fleet.revoking import CHUNK
from knowledge_base_agent.fleet.verifying import Fate, Verdict
from knowledge_base_agent.fleet.views import FleetView, Place
from knowledge_base_agent.problems import Misunderstood
from tests.fleet.running import Site
from tests.waiting import wait_until


@pytest.fixture(scope="module")
def workers(site: Site) -> Iterator[Site]:
    """Two prefork workers with one slot each."""
    site.start("w1@revoke", "-c", "1", "-Q", "celery,one")  # a queue each, to say who gets what
    site.start("w2@revoke", "-c", "1", "-Q", "celery,two")
    fleet = site.fleet()
    site.await_workers(fleet, 2)
    fleet.close()
    yield site
    site.stop()


def running(site: Site, fleet: Fleet, task: str, *arguments: Any, queue: str = "one") -> str:
    """Start a task and wait until it has begun."""
    started: str = fleet.app.tasks[f"tiny.{task}"].apply_async(arguments, queue=queue).id
    site.await_began([started])
    return started


def view(fleet: Fleet) -> FleetView:
    return fleet.workers.look(Deadline.after(5), fresh=True)


def stop(fleet: Fleet, one: str, before: FleetView, signal: str, *, within: float = 9) -> Verdict:
    outcome = fleet.revoke(
        Deadline.after(5),
        [one],
        destination=fleet.tellable(before),
        terminate=True,
        signal=signal,
    )
    assert outcome.sent == (one,)
    assert not outcome.failed
    return fleet.verify_stopped(Deadline.after(within), [one], before)[one]


def test_a_terminated_task_is_called_stopped_only_when_it_was_seen_to_have_stopped(
    workers: Site, fleet: Fleet
) -> None:
    one = running(workers, fleet, "nap", 30)
    before = view(fleet)

    verdict = stop(fleet, one, before, "SIGTERM")

    assert verdict.fate is Fate.STOPPED
    assert verdict.worker in ("w1@revoke", "w2@revoke")
    assert one not in workers.ledger("ended")
    assert one not in {task.id for task in view(fleet).held}


def test_a_task_that_ignores_sigterm_is_still_running_with_its_process_until_it_is_killed(
    workers: Site, fleet: Fleet
) -> None:
    one = running(workers, fleet, "stubborn", 40)
    before = view(fleet)
    (task,) = (task for task in before.held if task.id == one)

    ignored = stop(fleet, one, before, "SIGTERM")

    assert one not in {task.id for task in view(fleet).held}  # gone from `active`, and yet:
    assert ignored.fate is Fate.RUNNING
    assert ignored.ignores_signal
    assert ignored.process == task.process
    assert str(task.process) in ignored.why

    # Celery forgot the task when it was revoked: a second revoke finds nothing to kill, whatever the signal.
    again = stop(fleet, one, before, "SIGKILL", within=0.5)
    assert again.fate is Fate.RUNNING
    assert task.process is not None
    assert fleet.kill(Deadline.after(5), task.worker, task.process).accepted
    killed = fleet.verify_stopped(Deadline.after(9), [one], before)[one]
    assert killed.fate is Fate.STOPPED
    assert one not in workers.ledger("ended")


def test_no_last_look_is_begun_that_has_no_time_left(
    workers: Site, fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = running(workers, fleet, "nap", 4)
    before, look = view(fleet), fleet.workers.look
    left: list[float] = []

    def timed(deadline: Deadline, **how: Any) -> FleetView:
        left.append(deadline.remaining())
        return look(deadline, **how)

    monkeypatch.setattr(fleet.workers, "look", timed)
    for within in (0.6, 0.7, 0.8, 0.9):
        verdict = fleet.verify_stopped(Deadline.after(within), [one], before)[one]
        assert verdict.fate is Fate.RUNNING
    assert min(left) > 0.2, left
    wait_until(lambda: one in workers.ledger("ended"), what="it ends")


def test_only_the_process_of_a_revoked_task_can_be_killed(workers: Site, fleet: Fleet) -> None:
    one = running(workers, fleet, "nap", 1.5)
    (task,) = (task for task in view(fleet).held if task.id == one)
    assert task.process is not None

    busy = fleet.kill(Deadline.after(5), task.worker, task.process)
    assert not busy.accepted
    assert f"runs {one}: revoke that instead" in busy.said
    stranger = fleet.kill(Deadline.after(5), task.worker, 1)
    assert not stranger.accepted

    wait_until(lambda: one in workers.ledger("ended"), what="it ends undisturbed")


def test_a_task_in_the_slot_behind_a_revoked_one_is_dropped_and_never_runs(
    workers: Site, fleet: Fleet
) -> None:
    blocking = [running(workers, fleet, "nap", 2, queue=queue) for queue in ("one", "two")]
    quick = fleet.app.tasks["tiny.quick"]
    waiting = [quick.apply_async(queue=queue).id for queue in ("one", "two")]
    later = quick.apply_async(countdown=2).id
    wait_until(lambda: len(view(fleet).held) == 5, what="the workers hold them")
    before = view(fleet)
    wanted = [*waiting, later]

    outcome = fleet.revoke(Deadline.after(5), wanted, destination=fleet.tellable(before))
    verdicts = fleet.verify_stopped(Deadline.after(5), wanted, before)

    assert set(outcome.answers) == {"w1@revoke", "w2@revoke"}
    assert {verdict.fate for verdict in verdicts.values()} == {Fate.WILL_BE_DROPPED}
    wait_until(lambda: set(blocking) <= set(workers.ledger("ended")), what="the slots are free")
    wait_until(lambda: not view(fleet).held, what="nothing is held")
    assert not set(wanted) & set(workers.ledger("began"))


def test_an_id_that_exists_nowhere_is_found_nowhere_and_a_star_is_no_id(
    workers: Site, fleet: Fleet
) -> None:
    one = running(workers, fleet, "nap", 1)
    queued = fleet.app.tasks["tiny.quick"].apply_async(queue="nobody-listens").id

    places = fleet.locate(
        Deadline.after(5), [one, queued, "never-was", "recorded"], known=["recorded"]
    )

    assert [(task.id, task.place) for task in places.held] == [(one, Place.ACTIVE)]
    (pending,) = places.pending
    assert (pending.envelope.id, pending.queue, pending.waits) == (
        queued,
        "nobody-listens",
        Waits.READY,
    )
    assert places.known == {"recorded"}
    assert places.nowhere == {"never-was"}
    assert places.unknown == frozenset()
    assert places.found == {one, queued, "recorded"}
    with pytest.raises(Misunderstood):
        fleet.locate(Deadline.after(5), ["*"])


def test_many_ids_go_out_in_small_portions_that_can_be_cancelled_in_between(
    workers: Site, fleet: Fleet
) -> None:
    ids = [f"many-{number}" for number in range(2 * CHUNK + 50)]
    seen: list[tuple[int, int]] = []

    def go_on(done: int, total: int) -> bool:
        seen.append((done, total))
        return done < CHUNK

    to = fleet.tellable(view(fleet))
    outcome = fleet.revoke(Deadline.after(10), ids, destination=to, portions=go_on)

    assert seen[:2] == [(0, 450), (200, 450)]
    assert outcome.sent == tuple(ids[:CHUNK])
    assert outcome.unsent == tuple(ids[CHUNK:])
    assert {name: len(said) for name, said in outcome.answers.items()} == dict.fromkeys(to, 1)


def test_a_worker_that_was_killed_with_its_task_is_not_said_to_have_stopped_it(
    workers: Site, fleet: Fleet
) -> None:
    """The last of this module, for it costs a worker."""
    one = running(workers, fleet, "nap", 5)
    before = view(fleet)
    (task,) = (task for task in before.held if task.id == one)
    workers.processes[task.worker].kill()
    wait_until(lambda: view(fleet).receivers == 1, what="it has left")

    started = time.monotonic()
    verdict = fleet.verify_stopped(Deadline.after(0.5), [one], before)[one]

    assert time.monotonic() - started < 2
    assert verdict.fate is Fate.UNKNOWN
    assert task.worker in verdict.why
