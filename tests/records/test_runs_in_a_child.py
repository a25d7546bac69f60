"""What a pool's child tells of its runs, one at a time, whatever a body runs eagerly within its own."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from celery import Celery, Task
from celery.app.trace import trace_task
from celery.worker.request import Request
from kombu.message import Message

from knowledge_base_agent.records.child_notes import Notes
from knowledge_base_agent.records.stream import Entry, decode
from knowledge_base_agent.records.task_entries import TaskEntries
from knowledge_base_agent.records.tracking import track
from tests.servers import free_port

REQUEST = {
    "is_eager": False, "retries": 2, "replaced_task_nesting": 1, "hostname": "celery@here", "root_id": "r-1",
    "parent_id": "p-1", "delivery_info": {"routing_key": "celery", "redelivered": True},
}  # fmt: skip


@contextmanager
def child_of(app: Celery) -> Iterator[Notes]:
    """Let this process be a pool's child of the app, whose history is away: so what it noted stays in its notes."""
    tracking = track(app, f"redis://127.0.0.1:{free_port()}/0")
    notes = Notes()
    assert notes.take()
    tracking.outbox.note_in(notes)
    try:
        yield notes
    finally:
        tracking.stop()


def noted(notes: Notes) -> list[Entry]:
    _, cleared, _ = notes.state()
    return list(map(decode, notes.read(cleared, 0)[0]))


@pytest.mark.parametrize(("fails", "end"), [(False, "SUCCESS"), (True, "FAILURE")])
def test_a_task_that_runs_itself_eagerly_is_told_to_have_ended_once_and_at_its_end(
    fails: bool, end: str
) -> None:
    with Celery("theirs", broker="memory://", set_as_current=False) as app, child_of(app) as notes:

        @app.task(name="theirs.nest", bind=True, ignore_result=True, shared=False)
        def nest(self: "Task[Any, Any]", deeper: bool) -> None:
            if not deeper:
                return
            self.apply((False,), task_id="inner")
            assert [entry.state for entry in noted(notes)] == ["STARTED"]
            if fails:
                raise ValueError("after all")

        app.finalize()
        trace_task(
            app.tasks["theirs.nest"], "outer", (True,), {}, {"id": "outer", **REQUEST}, app=app
        )

        assert [(entry.id, entry.state) for entry in noted(notes)] == [
            ("outer", "STARTED"),
            ("outer", end),
        ]


def test_the_end_of_a_run_says_all_that_its_start_did() -> None:
    with Celery("theirs", broker="memory://", set_as_current=False) as app, child_of(app) as notes:

        @app.task(name="theirs.task", ignore_result=True, shared=False)
        def task() -> None:
            """Do nothing."""

        app.finalize()
        trace_task(app.tasks["theirs.task"], "t-1", (), {}, {"id": "t-1", **REQUEST}, app=app)

        began, ended = noted(notes)

    assert (began.state, ended.state) == ("STARTED", "SUCCESS")
    assert began.at <= ended.at
    for entry in (began, ended):
        assert (entry.id, entry.name, entry.retries, entry.nesting) == ("t-1", "theirs.task", 2, 1)
        assert (entry.queue, entry.redelivered, entry.worker) == ("celery", True, "celery@here")
        assert (entry.parent_id, entry.root_id, entry.process_id) == (
            "p-1",
            "r-1",
            began.process_id,
        )


def received(app: Celery, task_id: str) -> Request:
    """Return a message that a worker took, as Celery has it."""
    headers: dict[str, Any] = {"id": task_id, "task": "theirs.task", **REQUEST}
    message = Message(
        body='[[], {}, {}]', headers=headers, content_type="application/json",
        content_encoding="utf-8", delivery_info={"routing_key": "celery"}, properties={},
    )  # fmt: skip
    return Request(message, app=app, task=app.tasks["theirs.task"], hostname="celery@here")


def test_the_parent_knows_the_run_of_a_lost_child_and_keeps_none_that_has_ended() -> None:
    with Celery("theirs", broker="memory://", set_as_current=False) as app:

        @app.task(name="theirs.task", shared=False)
        def task() -> None:
            """Do nothing."""

        app.finalize()
        entries, mine = TaskEntries(), app.tasks["theirs.task"]
        lost = received(app, "lost")
        entries.received(lost, mine, None)
        for n in range(5_000):
            entries.received(received(app, f"t-{n}"), mine, None)
        lost.worker_pid = 4_711  # type: ignore[assignment]  # a child's process id
        told = entries.failed(mine, "lost", ValueError("it is gone"), None)

    assert (told.process_id, told.worker, told.retries) == (4_711, "celery@here", 2)
    assert len(entries._requests) < 2_000
