"""The emergency procedures: in the order that leaves nothing to run, each step verified, journaled and gone on with."""

import contextlib
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
import redis

from knowledge_base_agent.clock import utc_now
from knowledge_base_agent.deployment import open_deployment
from knowledge_base_agent.fleet.deadline import Deadline
from knowledge_base_agent.problems import Misunderstood, NotFound
from knowledge_base_agent.records.agent_state import read_agent_state, set_running
from knowledge_base_agent.records.database import reading, writing
from knowledge_base_agent.records.journal import StepState, newest_run
from knowledge_base_agent.requests import Pending
from tests.fleet.running import Site
from tests.operations.place import Shell, facts, table
from tests.operations.test_clear import add_rows, rows
from tests.operations.test_flush import add_keys, keys
from tests.records.deployment import settings_for
from tests.servers import RedisSpace, RedisSpaces
from tests.waiting import wait_until


@dataclass(frozen=True, kw_only=True)
class Emergency(Shell):
    """A shell on a deployment whose tasks write a ledger of their own."""

    site: Site

    def start(self, *names: str) -> None:
        for name in names:
            self.site.start(name, "-c", "2")
        self.site.await_workers(self.deployment.fleet, len(names))

    def send(self, seconds: float, number: int = 1, *, countdown: float | None = None) -> list[str]:
        app = self.deployment.app
        return [
            app.send_task("tiny.nap", (seconds,), countdown=countdown).id for _ in range(number)
        ]

    def held(self) -> tuple[int, int, int]:
        """How many tasks run, were taken in advance, and are kept for later."""
        view = self.deployment.fleet.workers.look(Deadline.after(2), fresh=True)
        return (
            sum(worker.busy for worker in view.workers),
            sum(worker.waiting for worker in view.workers),
            sum(worker.postponed for worker in view.workers),
        )

    def nobody_consumes(self) -> bool:
        view = self.deployment.fleet.workers.look(Deadline.after(2), fresh=True)
        return all(worker.queues == () for worker in view.workers)

    def journal(self) -> dict[str, StepState]:
        with reading(self.deployment.engine) as connection:
            return {one.name: one.state for one in newest_run(connection)}

    def say_running(self, task_id: str) -> None:
        with writing(self.deployment.engine) as connection:
            set_running(
                connection, task_id=task_id, source="docs", phase="parse", started_at=utc_now()
            )

    def leaves_traces(self, task_id: str) -> None:
        """Add three rows, four keys, and an agent that is said to run."""
        add_rows(self.deployment.engine, "SUCCESS", utc_now() - timedelta(hours=1), 3)
        add_keys(self.deployment.settings.logs_url, "logs", 4)
        self.say_running(task_id)

    def agent(self) -> str:
        with reading(self.deployment.engine) as connection:
            return read_agent_state(connection).status


@contextlib.contextmanager
def emergency(space: RedisSpace, url: str, folder: Path) -> Iterator[Emergency]:
    site = Site.on(space, folder)
    deployment = open_deployment(settings_for(space, url), site.app())
    try:
        yield Emergency(deployment=deployment, site=site)
    finally:
        site.stop()
        deployment.close()


@pytest.fixture
def night(redis_spaces: RedisSpaces, database_url: str, tmp_path: Path) -> Iterator[Emergency]:
    """An emergency on either database."""
    with redis_spaces.one() as space, emergency(space, database_url, tmp_path) as opened:
        yield opened


@pytest.fixture
def calm(redis_spaces: RedisSpaces, sqlite_url: str, tmp_path: Path) -> Iterator[Emergency]:
    """The same on SQLite alone."""
    with redis_spaces.one() as space, emergency(space, sqlite_url, tmp_path) as opened:
        yield opened


def test_of_37_tasks_none_runs_after_a_complete_reset_and_a_restart(night: Emergency) -> None:
    # The guide's Complete Reset, with 37 tasks: 36 ran after the restart (field notes).
    none_of_37_runs(night)


def none_of_37_runs(night: Emergency) -> None:
    """Reset completely while 37 tasks run, are held and wait; start the worker again: nothing of them runs."""
    night.start("one@reset")
    running = night.send(300, 2)
    night.site.await_began(running)
    last_eta = utc_now() + timedelta(seconds=5)
    night.send(0, 5, countdown=5)
    wait_until(lambda: night.held()[2] == 5, what="the ETA tasks are with the worker")
    night.send(0, 30)
    wait_until(lambda: night.held()[1] > 0, what="some are taken in advance")
    night.leaves_traces(running[0])

    preview = night.previews("reset --complete --reason test")
    assert preview.affected == 37 + 3
    assert facts(preview.report, "What there is")["Kept for later"] == 5
    assert len(table(preview.report, "Steps, in this order")) == 9
    report = night.confirms(preview)

    assert report.succeeded, report
    assert set(night.journal().values()) == {StepState.DONE}
    assert rows(night.deployment.engine) == set()
    assert keys(night.deployment.settings.logs_url) == set()
    assert night.agent() == "idle"
    assert night.site.processes.pop("one@reset").wait(timeout=10) == 0, "it ended by itself"
    night.start("one@reset")
    sentinel = night.deployment.app.send_task("tiny.quick", eta=last_eta + timedelta(seconds=1)).id
    night.site.await_began([sentinel])
    assert set(night.site.ledger("began")) == {*running, sentinel}, "nothing else ran"


def test_it_stops_at_what_it_cant_verify_and_goes_on_after_looking_again(calm: Emergency) -> None:
    calm.start("one@stop", "two@stop")
    running = calm.send(300, 2)
    calm.site.await_began(running)
    preview = calm.previews("reset --complete --reason test")
    calm.site.signal("two@stop", signal.SIGSTOP)
    report = calm.confirms(preview)
    assert not report.succeeded
    assert report.title == "The complete reset stopped at step 1 of 9: stop consuming"
    assert "two@stop" in report.text
    assert "Done: nothing. Not begun: revoke, purge, shut down" in report.text
    assert calm.journal()["revoke"] is StepState.PLANNED
    assert calm.held()[0] > 0, "nothing was stopped"
    calm.site.signal("two@stop", signal.SIGCONT)
    wait_until(lambda: calm.deployment.fleet.workers.look(Deadline.after(2), fresh=True).complete)
    again = calm.previews("reset --resume --reason test")
    assert "Go on with the complete reset?" in again.report.title
    report = calm.confirms(again)
    assert report.succeeded, report
    with pytest.raises(NotFound, match="No reset was left unfinished"):
        calm.previews("reset --resume")


def test_as_many_other_messages_are_not_what_a_complete_reset_has_shown(calm: Emergency) -> None:
    calm.send(0, 30)
    preview = calm.previews("reset --complete --reason test")
    with contextlib.closing(redis.Redis.from_url(calm.deployment.settings.broker_url)) as broker:
        broker.rpop("celery", 15)
    calm.send(0, 15)
    changed = calm.finds_changed(preview)
    assert "many of them others than the 30 that were shown" in changed.what
    assert isinstance(changed.now, Pending)
    assert calm.confirms(changed.now).succeeded


def test_a_worker_that_joins_after_the_preview_ends_it(calm: Emergency) -> None:
    preview = calm.previews("reset --complete --reason test")
    claimed = calm.claims(calm.previews("reset --complete --reason test"))
    calm.start("late@reset")
    changed = calm.finds_changed(preview)
    assert "1 worker came (late@reset)" in changed.what
    assert isinstance(changed.now, Pending), "a new preview, with that worker in it"
    report = calm.executes(claimed)
    assert "late@reset joined after the preview" in report.text
    assert calm.deployment.fleet.workers.look(Deadline.after(2), fresh=True).answered == 1


def test_messages_of_a_killed_worker_are_not_called_gone(calm: Emergency) -> None:
    calm.start("dead@reset")
    calm.send(0, 1, countdown=300)
    wait_until(lambda: calm.held()[2] == 1, what="it is with the worker")
    calm.site.stop()
    wait_until(
        lambda: calm.deployment.fleet.workers.look(Deadline.after(2), fresh=True).receivers == 0
    )
    report = calm.confirms(calm.previews("reset --complete --reason test"))
    assert not report.succeeded
    assert "1 message, of workers that were killed, are still unacknowledged" in report.text
    assert calm.journal()["clear rows"] is StepState.PLANNED


def test_a_partial_reset_stops_what_is_stuck_and_has_queues_consumed_again(
    night: Emergency,
) -> None:
    night.start("one@partial")
    stuck = night.send(300)
    night.site.await_began(stuck)
    night.say_running(stuck[0])
    night.deployment.fleet.command(
        Deadline.after(2), "cancel_consumer", ["one@partial"], queue="celery"
    )
    wait_until(night.nobody_consumes, what="the worker has let go of its queue")
    preview = night.previews("reset --partial --longer-than 0s")
    seen = facts(preview.report, "What there is")
    assert (seen["Stuck tasks to stop"], seen["Queues to consume again"]) == (1, "celery")
    report = night.confirms(preview)
    assert report.succeeded, report
    assert night.held()[0] == 0
    assert night.agent() == "idle"
    after = night.send(0)
    night.site.await_began(after)


def test_one_procedure_is_to_be_named(calm: Emergency) -> None:
    for words in ("reset", "reset --partial --complete"):
        with pytest.raises(Misunderstood, match="Give one of"):
            calm.previews(words)
