"""A gevent pool: it stops what lets itself be stopped, and takes a task off its list before that has really ended."""

from collections.abc import Iterator

import pytest

from tests.operations.crew import Crew, crew
from tests.operations.place import row_of
from tests.operations.test_doctor import found
from tests.servers import RedisSpaces
from tests.waiting import wait_until


@pytest.fixture(scope="module")
def here(redis_spaces: RedisSpaces, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Crew]:
    """A gevent worker that knows our command, and one that does not."""
    with redis_spaces.one() as space, crew(space, tmp_path_factory.mktemp("crew")) as opened:
        opened.hire("green", "-P", "gevent", "-c", "4", "-Q", "green")
        opened.hire("plain", "-P", "gevent", "-c", "4", "-Q", "plain", TINY_KNOWS_LOOK="0")
        yield opened


def running(
    here: Crew, task: str, *, seconds: float = 15, queue: str = "green", **options: object
) -> str:
    sent = here.send(task, seconds, queue=queue, **options)
    here.site.await_began([sent])
    return sent


def active(here: Crew, task_id: str) -> bool:
    return task_id in str(here.asks("active"))


def past_limit(here: Crew, task_id: str) -> bool:
    return "past its time limit" in str(here.asks("stuck")) and active(here, task_id)


def test_terminate_stops_a_task_and_is_seen_to(here: Crew) -> None:
    stopped = running(here, "nap")
    report = here.confirms(here.previews(f"revoke {stopped} --terminate"))
    assert row_of(report, stopped).cells[0] == "stopped"
    assert report.succeeded
    wait_until(lambda: not active(here, stopped), what="it is gone")
    assert stopped not in here.site.ledger("ended")


def test_a_task_that_holds_on_is_still_running_though_its_worker_lists_it_no_more(
    here: Crew,
) -> None:
    clings = running(here, "clinging")
    report = here.confirms(here.previews(f"revoke {clings} --terminate"))
    assert not active(here, clings)
    fate, why, *_ = row_of(report, clings).cells
    assert (fate, report.succeeded) == ("running", False)
    assert "only the end of its worker will" in str(why)
    assert "--kill" not in str(report), "it has no process of its own that could be killed"
    wait_until(lambda: clings in here.site.ledger("ended"), within=30, what="it runs to its end")


def test_a_worker_that_can_only_tell_what_it_lists_leaves_it_unknown(here: Crew) -> None:
    clings = running(here, "clinging", queue="plain")
    report = here.confirms(here.previews(f"revoke {clings} --terminate"))
    assert row_of(report, clings).cells[0] == "unknown"
    assert not report.succeeded


def test_the_hard_limit_ends_a_task(here: Crew) -> None:
    limited = running(here, "nap", time_limit=1)
    wait_until(lambda: not active(here, limited), within=8, what="the pool ends it")
    assert limited not in here.site.ledger("ended")
    assert found(here.asks("doctor"), "Pools that can stop a task")[0] == "OK"


def test_a_task_that_holds_on_past_its_limit_is_told_as_that(here: Crew) -> None:
    limited = running(here, "clinging", seconds=30, time_limit=1)
    wait_until(lambda: past_limit(here, limited), within=20, what="it is past its limit")
    why = str(row_of(here.asks("stuck"), limited).cells[2])
    assert "throws the limit into its code, which held on to it" in why
