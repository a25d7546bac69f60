"""A revoke says what was seen, never what was hoped."""

import os
import signal

import pytest

from knowledge_base_agent.fleet.deadline import Deadline
from knowledge_base_agent.problems import NotFound
from tests.operations.place import Place, notes, row_of
from tests.waiting import wait_until


def runs(here: Place, task_id: str) -> bool:
    return task_id in str(here.asks("active"))


def held(here: Place, task_id: str) -> bool:
    view = here.deployment.fleet.workers.look(Deadline.after(2), fresh=True)
    return any(task.id == task_id for task in view.held)


def test_terminating_a_running_task_frees_its_slot_and_is_seen_to(here: Place) -> None:
    stuck = [here.send("sleep", 120) for _ in range(2)]
    wait_until(lambda: all(runs(here, one) for one in stuck), what="both slots are taken")
    waiting = here.send("add", 1, 1)
    preview = here.previews(f"revoke {stuck[0]} --terminate")
    assert preview.affected == 1
    assert "1 running task" in preview.report.text
    report = here.confirms(preview)
    assert report.succeeded, report
    assert row_of(report, stuck[0]).cells[0] == "stopped"
    here.site.row_in(waiting, "SUCCESS", within=30)
    here.site.row_in(stuck[0], "REVOKED")
    assert runs(here, stuck[1]), "only what was named was stopped"
    here.confirms(here.previews(f"revoke {stuck[1]} --terminate"))


def test_a_revoke_without_terminate_says_that_a_running_task_runs_on(here: Place) -> None:
    running = here.send("sleep", 60)
    wait_until(lambda: runs(here, running), what="it runs")
    preview = here.previews(f"revoke {running}")
    assert "run on to the end" in notes(preview.report)
    assert preview.report.actions[0].words == f"revoke {running} --terminate"
    report = here.confirms(preview)
    assert row_of(report, running).cells[0] == "runs on"
    assert not report.succeeded
    assert runs(here, running)
    report = here.confirms(here.previews("revoke --all-active --terminate"))
    assert row_of(report, running).cells[0] == "stopped"


def test_an_id_that_never_existed_is_refused_because_celery_would_say_revoked(here: Place) -> None:
    with pytest.raises(NotFound, match="found nowhere"):
        here.previews("revoke 00000000-0000-0000-0000-000000000000")


def test_a_task_that_has_ended_is_not_revoked(here: Place) -> None:
    ended = here.send("add", 1, 1)
    here.site.row_in(ended, "SUCCESS")
    with pytest.raises(NotFound, match="has ended: SUCCESS"):
        here.previews(f"revoke {ended}")


def test_a_task_that_waits_for_its_time_will_be_dropped(here: Place) -> None:
    later = here.send("add", 1, 1, countdown=300)
    wait_until(lambda: held(here, later), what="a worker keeps it until its time")
    assert "waits for its time" in str(here.previews(f"revoke {later}"))
    report = here.confirms(here.previews(f"revoke {later}"))
    assert report.succeeded, report
    assert row_of(report, later).cells[0] in {"will be dropped", "stopped"}


def test_a_task_on_a_silent_worker_is_neither_running_nor_unstarted_but_unknown(
    here: Place,
) -> None:
    running = here.send("sleep", 120)
    here.site.row_in(running, "STARTED")
    (worker,) = here.deployment.fleet.workers.look(Deadline.after(2), fresh=True).workers
    assert worker.pid is not None
    os.kill(worker.pid, signal.SIGSTOP)
    try:
        preview = here.previews(f"revoke {running} --terminate")
        assert "1 task of which it is not known whether it runs" in preview.report.text
        assert "may have it" in str(row_of(preview.report, running).cells[1])
        everything = here.asks("revoke --all-active --terminate")
        assert "not every worker answered" in everything.text
        assert "0 active tasks seen" in here.asks("stats").text
    finally:
        os.kill(worker.pid, signal.SIGCONT)
    wait_until(lambda: runs(here, running), what="the worker answers again")
    report = here.confirms(preview)
    assert row_of(report, running).cells[0] == "stopped"


def test_a_task_that_ends_between_preview_and_click_is_not_said_to_have_been_stopped(
    here: Place,
) -> None:
    running = here.send("sleep", 2.5)
    here.site.row_in(running, "STARTED")
    preview = here.previews(f"revoke {running} --terminate")
    claimed = here.claims(here.previews(f"revoke {running} --terminate"))
    here.site.row_in(running, "SUCCESS")
    wait_until(lambda: not runs(here, running), what="no worker lists it")
    assert "has ended: SUCCESS" in here.finds_changed(preview).what
    report = here.executes(claimed)
    assert row_of(report, running).cells[0] == "ended before"


def test_nothing_active_means_nothing_to_confirm(here: Place) -> None:
    wait_until(lambda: "No active tasks" in here.asks("active").text, within=20)
    assert here.asks("revoke --all-active").title == "Nothing to revoke"
