"""What is seen of real workers that are set up badly, have the wrong time, or ignore limits."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import redis

from knowledge_base_agent.problems import Problem
from tests.closing import close_app
from tests.faults.wrong_clock import wrong_clock
from tests.operations.crew import Crew, crew
from tests.operations.place import notes, row_of, shell_on, table
from tests.operations.test_doctor import found
from tests.operations.test_filters import remember
from tests.records.deployment import settings_for
from tests.servers import RedisSpaces, valkey_server
from tests.waiting import wait_until

SECRET = "hunter2-hunter2"


@pytest.fixture(scope="module")
def here(redis_spaces: RedisSpaces, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Crew]:
    """One worker four hours ahead, one behind, one with threads, two of one name, and another app's."""
    folder = tmp_path_factory.mktemp("seeing")
    with redis_spaces.one() as space, crew(space, folder) as opened:
        for name, hours in (("ahead", 4), ("behind", -4)):
            opened.site.start(f"{name}@here", "-c", "1", "-Q", name, **wrong_clock(folder, hours))
        opened.site.start("threads@here", "-P", "threads", "-c", "2", "-Q", "threads")
        for key in ("one", "two"):
            opened.site.start("twin@here", "-P", "solo", "-Q", f"twin-{key}", key=f"twin-{key}")
        other = {"TINY_NAME": "other", "TINY_KNOWS_LOOK": "0"}
        opened.site.start("other@here", "-P", "threads", "-c", "1", "-Q", "other", **other)
        opened.site.await_workers(opened.deployment.fleet, 6)
        yield opened


@pytest.mark.parametrize("name", ["ahead", "behind"])
def test_a_clock_four_hours_off_makes_no_age_wrong_and_is_named(here: Crew, name: str) -> None:
    """It told an age of −14,396 s, and of +14,404 s."""
    running = here.send("nap", 3, queue=name)
    here.site.await_began([running])
    age = row_of(here.asks("active"), running).cells[1]
    assert isinstance(age, timedelta)
    assert timedelta(0) <= age < timedelta(seconds=30)
    skew = table(here.asks("workers"), "Workers")[f"{name}@here"].cells[-1]
    if isinstance(skew, timedelta):
        assert abs(skew - timedelta(hours=4)) < timedelta(seconds=5)
    else:
        assert (name, skew) == ("behind", "behind by 4 h")
    assert running not in str(here.asks("stuck --longer-than 1h"))


def test_clocks_that_disagree_are_bad_for_the_doctor(here: Crew) -> None:
    verdict, what, cure = found(here.asks("doctor"), "Clocks agree")
    assert verdict == "bad"
    assert "4 h" in what
    assert "chrony" in cure


def test_workers_without_events_and_without_a_word_at_the_start_are_named(here: Crew) -> None:
    report = here.asks("doctor")
    for check, setting in (("Task events", "-E"), ("Start of tasks is told", "task_track_started")):
        verdict, what, cure = found(report, check)
        assert verdict == "warning"
        assert "ahead@here" in what
        assert setting in cure


def test_a_task_past_its_hard_limit_on_threads_is_told_with_the_pool_that_ends_none(
    here: Crew,
) -> None:
    """`time_limit` killed it on prefork, and it ran on everywhere else."""
    running = here.send("nap", 25, queue="threads", time_limit=1)
    here.site.await_began([running])
    listed = wait_until(lambda: past_limit(here, running), within=20, what="it is past its limit")
    assert "past its time limit of 1 s: a threads pool ends no task at its limit" in listed
    verdict, what, _ = found(here.asks("doctor"), "Pools that can stop a task")
    assert verdict == "warning"
    assert "threads@here (threads)" in what


def past_limit(here: Crew, task_id: str) -> str:
    report = here.asks("stuck")
    return str(row_of(report, task_id).cells[2]) if task_id in str(report) else ""


def test_what_a_strangers_worker_tells_of_arguments_reaches_nobody(here: Crew) -> None:
    """`reserved` and `scheduled` ignore `safe`, and bring megabytes and secrets along."""
    app = here.site.app("other")
    nap: Any = app.tasks["other.nap"]
    more = {"token": SECRET, "big": "x" * 2_000_000}
    sent = [nap.apply_async((3,), more, queue="other").id]
    sent.append(nap.apply_async((0,), more, queue="other", countdown=600).id)
    here.site.await_began(sent[:1])
    close_app(app)
    wait_until(lambda: sent[1] in str(here.asks("scheduled")), within=20, what="it is kept")
    shown = "".join(
        str(here.asks(words)) for words in ("scheduled", "reserved", "active", "workers")
    )
    assert SECRET not in shown
    assert len(shown) < 100_000


def test_two_workers_of_one_name_are_warned_of_wherever_workers_are_shown(here: Crew) -> None:
    for words in ("workers", "active", "stats"):
        assert "Several workers are named twin@here" in notes(here.asks(words))
    verdict, what, _ = found(here.asks("doctor"), "Each worker has its own name")
    assert (verdict, what) == ("bad", "shared: twin@here")


@pytest.mark.filterwarnings("ignore:Call to deprecated setex:DeprecationWarning")  # of Celery
def test_a_result_that_expired_is_unknown_and_the_row_counts(here: Crew) -> None:
    with here.site.app() as app:
        app.conf.result_expires = 1
        backend: Any = app.backend
        backend.expires = 1
        backend.store_result("expired", "fine", "SUCCESS")
        remember(here.deployment.engine, "expired", state="SUCCESS")
        says = table(here.asks("task expired"), "What each says")
        assert says["the result backend"].cells[1] == "SUCCESS"
        wait_until(lambda: str(app.AsyncResult("expired").state) == "PENDING", what="it expires")
    report = here.asks("task expired")
    assert "SUCCESS since" in report.text
    assert "PENDING" not in str(report)
    assert str(table(report, "What each says")["the result backend"].cells[1]).startswith("unknown")


def test_a_redis_that_refuses_for_want_of_memory_is_not_taken_for_a_broker_that_is_away(
    sqlite_url: str, tmp_path: Path
) -> None:
    """With noeviction publish and ping raise, and reading goes on."""
    with valkey_server() as server, RedisSpaces(server).one() as space:
        settings = settings_for(space, sqlite_url)
        with shell_on(settings) as shell, redis.Redis.from_url(server.url(0)) as admin:
            shell.deployment.app.send_task("tiny.quick", queue="left")
            admin.config_set("maxmemory", 1)
            report = shell.asks("stats")
            assert table(report, "Queues")["left"].cells[1] == 1
            (figures,) = table(report, "Redis").values()
            assert "noeviction" in figures.cells
            (tmp_path / "page.md").write_text("# A page")
            with pytest.raises(Problem) as refused:
                shell.asks(f"run {tmp_path}")
            assert "memory" in str(refused.value)
