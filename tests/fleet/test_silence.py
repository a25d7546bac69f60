"""Slow, missing, double and strange answers, from simulated workers."""

import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
import redis
from celery import Celery

from knowledge_base_agent.fleet.deadline import Deadline
from knowledge_base_agent.fleet.fleet import Fleet
from knowledge_base_agent.fleet.question import Question
from knowledge_base_agent.fleet.receivers import CLIENT_NAME
from tests.fleet.responder import responders
from tests.fleet.running import Site
from tests.waiting import wait_until

PING = Question(command="ping")


@pytest.fixture
def app(site: Site) -> Celery:
    """The app that simulated workers run."""
    return site.app()


@pytest.fixture
def later() -> Iterator[threading.Event]:
    """What slow simulated workers wait for."""
    event = threading.Event()
    yield event
    event.set()


def test_replies_that_trickle_in_never_stretch_the_deadline(
    app: Celery, fleet: Fleet, later: threading.Event
) -> None:
    def answer(_command: str, index: int) -> object:
        later.wait(0.25 * index)
        return {"ok": index}

    with responders(app, [f"slow{number}" for number in range(6)], answer):
        started = time.monotonic()
        answers = fleet.broadcaster.ask(Deadline.after(0.7), PING)
        took = time.monotonic() - started
        later.set()

    assert took < 0.9
    assert answers.receivers == 6
    assert 2 <= answers.answered <= 4
    assert len(answers.silent) == 6 - answers.answered


def test_an_answer_after_its_deadline_still_tells_that_the_worker_is_back(
    app: Celery, fleet: Fleet, later: threading.Event
) -> None:
    def answer(_command: str, index: int) -> object:
        if index == 1:
            later.wait()
        return {"ok": index}

    with responders(app, ["here", "absent"], answer):
        first = fleet.broadcaster.ask(Deadline.after(0.3), PING)
        assert first.silent == ("absent",)
        later.set()
        wait_until(
            lambda: fleet.broadcaster.ask(Deadline.after(1), PING).complete,
            what="everyone answers again",
        )
        assert fleet.broadcaster.roster.known_silent() == frozenset()


def test_two_workers_of_one_name_are_both_heard_and_the_name_is_warned_of(
    app: Celery, fleet: Fleet
) -> None:
    def answer(command: str, index: int) -> object:
        if command == "kb_look":
            raise KeyError(command)
        if command == "active":
            return [{"id": f"task-{index}", "name": "tiny.nap", "worker_pid": 100 + index}]
        return []

    with responders(app, ["twin", "twin"], answer):
        view = fleet.workers.look(Deadline.after(3))

    assert view.receivers == 2
    assert view.duplicates == ("twin",)
    assert {task.id for task in view.held} == {"task-0", "task-1"}


def test_a_command_over_a_broken_connection_is_sent_once_and_called_unconfirmed(
    site: Site, app: Celery, fleet: Fleet, later: threading.Event
) -> None:
    def answer(_command: str, _index: int) -> object:
        later.wait(5)
        return {"ok": "done"}

    def cut() -> None:
        wait_until(lambda: one.heard, what="the command is heard")
        with redis.Redis.from_url(site.broker_url) as admin:
            for client in admin.client_list():
                if client["name"] == CLIENT_NAME:
                    admin.client_kill_filter(_id=client["id"])
        later.set()

    with responders(app, ["w"], answer) as (one,):
        cutter = threading.Thread(target=cut)
        cutter.start()
        answers = fleet.command(Deadline.after(2), "shutdown", ["w"])
        cutter.join()

    assert one.heard == ["shutdown"]
    assert answers.interrupted
    assert answers.complete is False


def test_a_command_without_an_answer_is_not_confirmed(
    app: Celery, fleet: Fleet, later: threading.Event
) -> None:
    def answer(_command: str, _index: int) -> object:
        later.wait()
        return {"ok": "late"}

    with responders(app, ["w"], answer) as (one,):
        view = fleet.workers.look(Deadline.after(0.2))
        outcome = fleet.revoke(Deadline.after(0.5), ["t-1"], destination=["w"])
        later.set()
        assert one.heard

    assert view.silent == ("w",)
    assert outcome.failed
    assert outcome.unconfirmed == ("t-1",)
    assert outcome.silent == ("w",)


def test_a_refusal_inside_a_reply_is_shown_with_its_worker(app: Celery, fleet: Fleet) -> None:
    def answer(_command: str, index: int) -> object:
        return {"error": "NotImplementedError()"} if index else {"ok": "tasks flagged as revoked"}

    with responders(app, ["can", "cannot"], answer):
        outcome = fleet.revoke(
            Deadline.after(2), ["t-1"], destination=["can", "cannot"], terminate=True
        )

    assert outcome.sent == ("t-1",)
    (refusal,) = outcome.refusals
    assert (refusal.worker, refusal.said) == ("cannot", "NotImplementedError()")


@pytest.mark.parametrize("hours", [-4, 4])
def test_a_worker_clock_that_is_hours_off_spoils_no_age(
    app: Celery, fleet: Fleet, hours: int
) -> None:
    off = hours * 3600.0

    def answer(_command: str, _index: int) -> object:
        row: list[Any] = ["t-1", "tiny.nap", 90.0, 7, False, "celery", 7200, 0]
        row += [None, False, None, None, None, None]
        return {
            "v": 1,
            "app": "tiny",
            "now": time.time() + off,
            "counts": [1, 0, 0],
            "active": [row],
        }

    with responders(app, ["w"], answer):
        view = fleet.workers.look(Deadline.after(3))

    (worker,) = view.workers
    (task,) = worker.active
    assert worker.skew is not None
    assert abs(worker.skew.total_seconds() - off) < 2
    assert task.started_at is not None
    assert abs((view.taken_at - task.started_at).total_seconds() - 90) < 2
    assert task.time_limit is not None
    assert task.time_limit.total_seconds() == 7200


def test_a_foreign_workers_task_from_the_future_starts_now_and_the_clock_is_blamed(
    app: Celery, fleet: Fleet
) -> None:
    def answer(command: str, _index: int) -> object:
        if command == "kb_look":
            raise KeyError(command)
        if command == "active":
            return [{"id": "t-1", "name": "n", "time_start": time.time() + 4 * 3600}]
        return []

    with responders(app, ["w"], answer):
        view = fleet.workers.look(Deadline.after(3))

    (worker,) = view.workers
    assert worker.active[0].started_at is not None
    assert (worker.active[0].started_at - view.taken_at).total_seconds() < 2
    assert worker.skew is not None
    assert worker.skew.total_seconds() > 3 * 3600


@pytest.mark.parametrize("body", [None, "text", 7, [1, 2], {"v": 1}, {"v": 1, "active": [[]]}])
def test_nonsense_from_a_worker_breaks_nothing(app: Celery, fleet: Fleet, body: object) -> None:
    with responders(app, ["odd"], lambda _command, _index: body):
        view = fleet.workers.look(Deadline.after(1))
    assert view.receivers == 1
