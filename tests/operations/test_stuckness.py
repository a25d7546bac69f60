"""Stuck, orphaned, stalled, past the limit, let go: told apart by what workers, rows and progress say."""

from dataclasses import replace
from datetime import timedelta

import pytest

from knowledge_base_agent.clock import utc_now
from knowledge_base_agent.fleet.views import FleetView, HeldTask, Place, Pool, WorkerView
from knowledge_base_agent.operations.stuckness import Trouble, find_stuck
from knowledge_base_agent.records.task_history import TaskRecord
from knowledge_base_agent.records.task_progress import Progress

NOW = utc_now()
HOUR = timedelta(hours=1)
LONG = 3 * HOUR


def task(age: timedelta, limit: timedelta | None = None) -> HeldTask:
    return HeldTask(
        id="t", name="shop.pay", worker="w@h", place=Place.ACTIVE, started_at=NOW - age,
        time_limit=limit,
    )  # fmt: skip


def worker(*active: HeldTask, waiting: int = 0) -> WorkerView:
    return WorkerView(
        name="w@h", pid=1, pool=Pool.PREFORK, concurrency=2, prefetch=1, busy=len(active),
        waiting=waiting, postponed=0, active=active, reserved=(), scheduled=(), queues=(),
        memory_kb=None, uptime=None, clock=None, skew=None, processes=None, occupied=None,
        revoked=None, flagged=None, processed=None, ours=True, answered_after=timedelta(0),
    )  # fmt: skip


def fleet(*workers: WorkerView, silent: tuple[str, ...] = ()) -> FleetView:
    return FleetView(
        taken_at=NOW, took=timedelta(0), receivers=len(workers) + len(silent), why_unknown=None,
        workers=workers, silent=silent, unnamed=0, duplicates=(), roster=(),
    )  # fmt: skip


def record(state: str, age: timedelta) -> TaskRecord:
    return TaskRecord(
        id="t", name="shop.pay", queue="celery", state=state, retries=0, redelivered=False,
        worker="w@h", process_id=5, published_at=None, received_at=None,
        started_at=NOW - age if state in {"STARTED", "PROGRESS"} else None, finished_at=None,
        updated_at=NOW - age, eta=None, time_limit=None, parent_id=None, root_id=None,
        args_repr=None, args_shortened=False, error_class=None, error_message=None, traceback=None,
    )  # fmt: skip


def troubles(
    view: FleetView | None, *rows: TaskRecord, progress: Progress | None = None
) -> list[Trouble]:
    said = {"t": progress} if progress else {}
    return [one.trouble for one in find_stuck(view, rows, said, longer_than=LONG, now=NOW)]


def test_a_young_task_is_in_no_trouble() -> None:
    assert troubles(fleet(worker(task(HOUR)))) == []


def test_a_worker_that_has_it_too_long_makes_it_stuck() -> None:
    assert troubles(fleet(worker(task(4 * HOUR)))) == [Trouble.TOO_LONG]


def test_past_its_time_limit_is_said_before_the_threshold_is_reached() -> None:
    assert troubles(fleet(worker(task(2 * HOUR, limit=HOUR)))) == [Trouble.PAST_LIMIT]


def test_progress_that_stopped_is_said_before_the_threshold_is_reached() -> None:
    quiet = Progress(done=1, total=9, updated_at=NOW - timedelta(minutes=30))
    assert troubles(fleet(worker(task(HOUR))), progress=quiet) == [Trouble.STALLED]
    lively = replace(quiet, updated_at=NOW)
    assert troubles(fleet(worker(task(HOUR))), progress=lively) == []


@pytest.mark.parametrize("state", ["STARTED", "PROGRESS"])
def test_a_running_row_that_no_worker_has_is_orphaned(state: str) -> None:
    assert troubles(fleet(worker()), record(state, HOUR)) == [Trouble.ORPHANED]


def test_a_row_that_its_worker_still_has_is_no_orphan() -> None:
    assert troubles(fleet(worker(task(HOUR))), record("STARTED", HOUR)) == []


def test_with_a_silent_worker_nothing_is_called_orphaned() -> None:
    view = fleet(worker(), silent=("x@h",))
    assert troubles(view, record("STARTED", HOUR)) == []
    assert troubles(view, record("STARTED", 4 * HOUR)) == [Trouble.UNKNOWN]
    assert troubles(None, record("STARTED", 4 * HOUR)) == [Trouble.UNKNOWN]


def test_a_row_that_was_just_written_is_given_time_to_settle() -> None:
    assert troubles(fleet(worker()), record("STARTED", timedelta(seconds=5))) == []


@pytest.mark.parametrize("state", ["RECEIVED", "RETRY"])
def test_a_task_that_its_worker_let_go_of_is_listed(state: str) -> None:
    assert troubles(fleet(worker()), record(state, 4 * HOUR)) == [Trouble.LET_GO]
    assert troubles(fleet(worker()), record(state, HOUR)) == []
    (found,) = find_stuck(fleet(worker()), [record(state, 4 * HOUR)], {}, longer_than=LONG, now=NOW)
    assert "was purged from it" in found.why
    # A capped list may well hold it.
    assert troubles(fleet(worker(waiting=500)), record(state, 4 * HOUR)) == []
