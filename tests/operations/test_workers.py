"""Looking at workers, resizing, limiting and ending them: each node's own word, and what was seen afterwards."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from knowledge_base_agent.problems import Misunderstood, NotFound
from knowledge_base_agent.understand import understand
from tests.operations.crew import Crew, crew
from tests.operations.place import notes, table
from tests.servers import RedisSpaces
from tests.waiting import wait_until


@pytest.fixture(scope="module")
def here(redis_spaces: RedisSpaces, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Crew]:
    """A prefork worker, a solo one, and one of another app on the same broker."""
    with redis_spaces.one() as space, crew(space, tmp_path_factory.mktemp("crew")) as found:
        found.site.start("first@here", "-c", "2")
        found.site.start("alone@here", "-P", "solo", "-Q", "side")
        found.site.start("stranger@here", "-c", "1", "-Q", "other", TINY_NAME="other")
        found.site.await_workers(found.deployment.fleet, 3)
        yield found


def test_workers_shows_what_each_one_is_and_whose_it_is(here: Crew) -> None:
    report = here.asks("workers")
    rows = table(report, "Workers")
    name, pool, slots, busy = rows["first@here"].cells[:4]
    assert (name, pool, slots, busy) == ("first@here", "prefork", 2, 0)
    queues, processed, skew = rows["first@here"].cells[8:]
    assert queues == "celery"
    assert isinstance(processed, int)
    assert skew == timedelta(0)
    assert rows["alone@here"].cells[1] == "solo"
    assert "3 of 3 workers answered" in report.text
    assert "another app share this broker and hear our broadcasts: stranger@here" in notes(report)


def test_growing_and_shrinking_is_seen_and_not_believed(here: Crew) -> None:
    report = here.asks("workers grow 2 --worker first")
    assert report.succeeded, report
    assert table(report, "Workers")["first@here"].cells[1:4] == (2, 4, "pool will grow")
    # Celery ends idle processes alone, and a slot whose process is still to start is none.
    wait_until(lambda: len(here.seen("first").processes or ()) == 4, what="all four are there")
    report = here.asks("workers shrink 3 --worker first@here")
    assert table(report, "Workers")["first@here"].cells[1:3] == (4, 1)
    refused = here.asks("workers shrink 1 --worker first")
    assert not refused.succeeded
    assert "one must stay" in str(table(refused, "Workers")["first@here"])
    assert here.asks("workers grow 1 --worker first").succeeded


def test_a_pool_that_can_not_grow_is_named_with_the_reason_and_strangers_are_left_alone(
    here: Crew,
) -> None:
    report = here.asks("workers grow 1")
    assert not report.succeeded
    assert "1 of 2 workers seen to have grown" in report.text
    rows = table(report, "Workers")
    assert set(rows) == {"first@here", "alone@here"}
    assert rows["alone@here"].cells[3] == "a solo pool has one slot"


def test_a_rate_limit_shows_each_workers_word_and_says_how_long_it_holds(here: Crew) -> None:
    report = here.asks("workers rate-limit tiny.nap 10/m")
    assert report.succeeded, report
    assert "at most 10/m a worker: 2 of 2 workers accepted" in report.text
    assert "2 of them start 2 times as many; it is gone when one restarts" in notes(report)
    assert here.asks("workers rate-limit tiny.nap none").succeeded
    unknown = here.asks("workers rate-limit tiny.nab 10/m")
    assert not unknown.succeeded
    assert table(unknown, "Workers")["first@here"].cells[1:] == ("no", "unknown task")
    assert "Did you mean tiny.nap?" in notes(unknown)


@pytest.mark.parametrize(
    ("typed", "said", "suggestion"),
    [
        ("workers grwo 2", "Did you mean `/kb workers grow`?", "workers grow 2"),
        ("wrokers shrink 2", "Did you mean `/kb workers`?", "workers shrink 2"),
        ("workers dance", "It knows: grow, shrink, rate-limit, shutdown", ""),
        ("workers grow many", "a whole number of slots", ""),
        ("workers grow 2 --wroker a", "Did you mean `--worker`?", "workers grow 2 --worker a"),
        ("workers rate-limit tiny.nap 0", "0 would mean no limit", ""),
        ("workers shutdown *", "the name of a worker", ""),
    ],
)
def test_a_mistyped_second_word_is_answered_with_what_was_meant(
    typed: str, said: str, suggestion: str
) -> None:
    with pytest.raises(Misunderstood) as refused:
        understand(typed)
    assert said in str(refused.value)
    assert refused.value.suggestion == suggestion
    if suggestion:
        assert understand(suggestion).words == suggestion


def test_help_explains_a_name_of_two_words(here: Crew) -> None:
    assert "workers grow SLOTS" in here.asks("help workers grow").text


def test_a_worker_that_is_not_there_is_not_shut_down(here: Crew) -> None:
    with pytest.raises(NotFound, match="Did you mean first@here"):
        here.asks("workers shutdown frist@here")
    with pytest.raises(NotFound, match="belongs to another app"):
        here.asks("workers shutdown stranger@here")


def test_a_shutdown_drains_by_name_and_leaves_another_apps_worker_alive(here: Crew) -> None:
    """A broadcast `shutdown()` of one app killed the worker of another on the same broker."""
    finished = here.send("nap", 1)
    here.site.await_began([finished])
    pending = here.previews("workers shutdown --reason test")
    assert set(table(pending.report, "Workers")) == {"first@here", "alone@here"}
    assert "No worker of this app will be left" in notes(pending.report)
    report = here.confirms(pending)
    assert report.data["ends"] == {"first@here": "gone", "alone@here": "gone"}, report
    assert finished in here.site.ledger("ended"), "it was drained first"
    wait_until(lambda: here.site.processes["first@here"].poll() is not None, what="it ended")
    assert here.site.processes["stranger@here"].poll() is None
    assert here.seen("stranger").ours is False


def test_a_worker_that_leaves_with_a_task_is_not_said_to_be_gone(here: Crew) -> None:
    here.site.start("late@here", "-c", "1")
    here.site.await_workers(here.deployment.fleet, 2)
    running = here.send("nap", 3)
    here.site.await_began([running])
    report = here.confirms(here.previews("workers shutdown late --wait 0s --reason test"))
    assert report.data["ends"] == {"late@here": "finishing"}, report
    assert "runs on to its end, unseen" in notes(report)
    assert running not in here.site.ledger("ended")
