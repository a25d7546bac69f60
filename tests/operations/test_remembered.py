"""A revoke outlives the worker that heard it: each worker that joins is told, until the task can't run any more."""

import signal
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine

from knowledge_base_agent.clock import utc_now
from knowledge_base_agent.fleet.connections import Connections
from knowledge_base_agent.fleet.deadline import Deadline
from knowledge_base_agent.keeping import Keeper
from knowledge_base_agent.problems import Away
from knowledge_base_agent.records.database import open_engine, reading, writing
from knowledge_base_agent.records.migrate import migrate
from knowledge_base_agent.records.revoked_tasks import (
    KEEP,
    forget_revoked,
    newest_unsettled,
    remember_revoked,
    settle,
    unsettled,
)
from knowledge_base_agent.records.tables import TASKS
from tests.operations.crew import Crew, crew
from tests.operations.place import shell_on
from tests.records.deployment import settings_for, worker
from tests.servers import RedisSpaces
from tests.waiting import wait_until


@pytest.fixture
def here(redis_spaces: RedisSpaces, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Crew]:
    """Nobody works here yet."""
    with redis_spaces.one() as space, crew(space, tmp_path_factory.mktemp("crew")) as found:
        yield found


def test_a_revoked_task_that_waits_for_its_time_does_not_run_after_a_kill_and_a_restart(
    here: Crew,
) -> None:
    """It ran once without `--statedb`, and once with it after a SIGKILL, though its state said REVOKED."""
    here.hire("first", "-c", "1", TINY_VISIBILITY="0.1")
    due = utc_now() + timedelta(seconds=7)
    revoked, other = here.send("quick", eta=due), here.send("quick", eta=due)
    wait_until(lambda: here.seen("first").postponed == 2, what="it keeps both")
    here.confirms(here.previews(f"revoke {revoked}"))
    here.site.signal("first@here", signal.SIGKILL)
    here.site.processes["first@here"].wait()
    here.site.await_workers(here.deployment.fleet, 0)
    here.site.start("first@here", "-c", "1", key="again", TINY_VISIBILITY="0.1")
    here.site.await_workers(here.deployment.fleet, 1)
    keeper = Keeper(deployment=here.deployment)
    assert keeper.keep() == ("first@here joined, and was told of 1 revoked task",)
    assert keeper.keep() == (), "it has been told"
    here.site.await_began([other])
    look = here.deployment.fleet.workers.look(Deadline.after(2), fresh=True)
    assert [worker.postponed for worker in look.workers] == [0], "its time has come, too"
    assert revoked not in here.began()


@pytest.mark.parametrize("words", ["", " --terminate"])
def test_a_revoke_that_failed_before_it_was_sent_is_not_carried_out_later(
    here: Crew, monkeypatch: pytest.MonkeyPatch, words: str
) -> None:
    here.hire("first", "-c", "1")
    task = here.send("quick", eta=utc_now() + timedelta(hours=1))
    wait_until(lambda: here.seen("first").postponed == 1, what="it keeps it")
    claimed = here.claims(here.previews(f"revoke {task}{words}"))
    with monkeypatch.context() as patch:
        patch.setattr(Connections, "ping_results", silent)
        failed = here.executes(claimed)
    assert "Nothing was sent, so nothing is revoked." in failed.text
    assert not failed.actions, "there is nothing to undo"
    with reading(here.deployment.engine) as connection:
        assert unsettled(connection) == ()
    assert Keeper(deployment=here.deployment).keep() == ()
    assert here.seen("first").postponed == 1
    here.confirms(here.previews(f"revoke {task} --reason test"))


def silent(*_: object) -> None:
    """Be a result backend that does not answer."""
    raise Away("The result backend did not answer in time.", "Look at it.", source="it")


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """An engine of either database."""
    opened = open_engine(database_url)
    yield opened
    opened.dispose()


def test_what_is_forgotten_leaves_what_was_remembered_before_and_by_others(engine: Engine) -> None:
    first = remember_revoked(engine, ["a", "b"], by="ann", terminate=True)
    second = remember_revoked(engine, ["b", "c", "d"], by="bob", terminate=False)
    remember_revoked(engine, ["d"], by="eve", terminate=True)
    forget_revoked(engine, second)
    forget_revoked(engine, second)
    with reading(engine) as connection:
        kept = {one.id: (one.by, one.terminate, one.at) for one in unsettled(connection)}
    at = first.rows[0]["at"]
    assert {one: kept[one] for one in "ab"} == {"a": ("ann", True, at), "b": ("ann", True, at)}
    assert (set(kept), kept["d"][:2]) == ({"a", "b", "d"}, ("eve", True))


def test_a_revoke_is_told_until_its_task_has_ended_or_a_week_after_its_time(engine: Engine) -> None:
    now = utc_now()
    remember_revoked(engine, ["done", "said-revoked", "late", "unknown"], by="ann", terminate=False)
    remember_revoked(engine, ["late"], by="bob", terminate=True)
    with writing(engine) as connection:
        for one, state, eta in (
            ("done", "SUCCESS", None),
            ("said-revoked", "REVOKED", None),
            ("late", "RECEIVED", now + timedelta(days=30)),
        ):
            connection.execute(
                TASKS.insert().values(
                    id=one, name="t", state=state, attempt=1, retries=0, updated_at=now, eta=eta
                )
            )
        assert settle(connection, now) == 1
    assert _told(engine) == {"said-revoked", "late", "unknown"}
    with writing(engine) as connection:
        settle(connection, now + KEEP + timedelta(minutes=1))
    assert _told(engine) == {"late"}, "its time is still to come"
    with writing(engine) as connection:
        settle(connection, now + KEEP + timedelta(days=31))
    with reading(engine) as connection:
        assert newest_unsettled(connection) is None


def _told(engine: Engine) -> set[str]:
    with reading(engine) as connection:
        assert newest_unsettled(connection) is not None
        return {task.id for task in unsettled(connection)}


def test_a_worker_that_starts_leaves_paused_queues_and_revoked_tasks_alone_from_its_first_moment(
    redis_spaces: RedisSpaces, tmp_path: Path
) -> None:
    """Nobody has to tell it: a queue of short tasks is drained in the seconds before anyone could."""
    url = f"sqlite:///{tmp_path / 'kb.sqlite3'}"
    migrate(url)
    with redis_spaces.one() as space, shell_on(settings_for(space, url)) as shell:
        deployment, app = shell.deployment, shell.deployment.app
        assert "no worker is there to be told" in shell.asks("pause celery").text.lower()
        waiting = [app.send_task("history.add", (1, 1)).id for _ in range(3)]
        revoked, other = (app.send_task("history.add", (1, 1), queue="agent") for _ in range(2))
        remember_revoked(deployment.engine, [revoked.id], by="ann", terminate=False)
        with worker(deployment.settings, app):
            assert other.get(timeout=10) == 2
            assert str(app.AsyncResult(revoked.id).state) == "REVOKED"
            depth = deployment.fleet.queues.depths(Deadline.after(2)).named("celery")
            assert depth is not None
            assert depth.ready == len(waiting)
            assert "1 of 1 worker seen to take from it again" in shell.asks("resume celery").text
            assert app.AsyncResult(waiting[-1]).get(timeout=10) == 2
