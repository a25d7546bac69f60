"""Pausing a queue: verified at each worker, told to joiners, shown while it lasts, ended by time or by a person."""

import asyncio
import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import Engine

from bot.keeping import Keeping
from knowledge_base_agent.clock import utc_now
from knowledge_base_agent.fleet.deadline import Deadline
from knowledge_base_agent.keeping import Keeper
from knowledge_base_agent.problems import NotFound
from knowledge_base_agent.records.database import open_engine, reading, writing
from knowledge_base_agent.records.pauses import (
    all_pauses,
    back_again,
    begin_pause,
    end_pause,
    read_pause,
    stopped_too,
)
from tests.operations.crew import Crew, crew
from tests.operations.place import notes, table
from tests.servers import RedisSpaces
from tests.waiting import wait_until


@pytest.fixture(scope="module")
def here(redis_spaces: RedisSpaces, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Crew]:
    """One worker of two slots."""
    with redis_spaces.one() as space, crew(space, tmp_path_factory.mktemp("crew")) as found:
        found.hire("first", "-c", "2")
        yield found


def test_a_worker_that_joins_a_paused_queue_does_not_drain_it(here: Crew) -> None:
    report = here.asks("pause celery")
    assert report.succeeded, report
    assert "1 of 1 worker seen to leave it alone" in report.text
    assert table(report, "Workers")["first@here"].cells[1] == "no"
    keeper = Keeper(deployment=here.deployment)
    assert keeper.keep() == (), "everyone knows"
    here.hire("second", "-c", "1")
    assert "celery" in (here.seen("second").queues or ()), "its command line says so"
    (done,) = keeper.keep()
    assert "second@here was told that celery is paused" in done
    waiting = [here.send("quick") for _ in range(3)]
    # A BRPOP that was out when a worker was told takes one message more, and the worker puts it back.
    wait_until(lambda: ready(here) == 3, what="all three wait")
    assert not set(waiting) & set(here.began())
    for words in ("stats", "active"):
        shown = here.asks(words)
        assert "PAUSED: queue celery, by tester" in notes(shown)
        assert "until someone resumes it" in notes(shown)
        assert shown.actions[0].words == "resume celery"
    resumed = here.asks("resume celery")
    assert "2 of 2 workers seen to take from it again" in resumed.text
    here.site.await_began(waiting)
    assert "PAUSED" not in notes(here.asks("stats"))
    assert keeper.keep() == ()


def ready(here: Crew) -> int | None:
    depth = here.deployment.fleet.queues.depths(Deadline.after(2)).named("celery")
    return depth.ready if depth else None


def test_a_pause_for_a_time_ends_by_itself(here: Crew) -> None:
    report = here.asks("pause celery --for 1s")
    assert "UTC" in report.text
    waiting = here.send("quick")
    keeper = Keeper(deployment=here.deployment)
    done = wait_until(keeper.keep, what="its time is over")
    assert "the pause of celery by tester is over" in done
    here.site.await_began([waiting])
    with pytest.raises(NotFound, match="No queue and no task is paused"):
        here.asks("resume celery")


def test_a_second_pause_says_who_paused_it_and_since_when(here: Crew) -> None:
    assert "already" not in here.asks("pause celery").text
    again = here.asks("pause celery --for 2h")
    assert re.search(r"It was paused already: by tester, since \d{4}-.* UTC\.", again.text)
    assert "is it the one" not in notes(again)
    here.asks("resume celery")


def test_a_misspelt_queue_is_not_paused(here: Crew) -> None:
    with pytest.raises(NotFound, match="Did you mean celery"):
        here.asks("pause cellery")
    assert "PAUSED" not in notes(here.asks("stats"))


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """An engine of either database."""
    opened = open_engine(database_url)
    yield opened
    opened.dispose()


def test_a_pause_stays_in_the_rows_until_every_worker_is_back(engine: Engine) -> None:
    now = utc_now()
    with writing(engine) as connection:
        begin_pause(connection, "agent", at=now, by="ann", until=None, workers=["a", "b"])
        stopped_too(connection, "agent", ["c"])
        begin_pause(
            connection, "agent", at=now, by="bob", until=now + timedelta(hours=1), workers=[]
        )
    with reading(engine) as connection:
        (pause,) = all_pauses(connection)
    assert (pause.by, pause.until, pause.workers) == (
        "bob",
        now + timedelta(hours=1),
        ("a", "b", "c"),
    )
    with writing(engine) as connection:
        back_again(connection, "agent", ["a"])
        assert read_pause(connection, "agent") == pause, "it lasts"
        assert end_pause(connection, "agent", at=now, by="ann") == pause
        assert end_pause(connection, "agent", at=now, by="cy") is None, "only one ends it"
        back_again(connection, "agent", ["a", "c"])
    with reading(engine) as connection:
        left = read_pause(connection, "agent")
    assert left is not None
    assert (left.lasts, left.ended_by, left.workers) == (False, "ann", ("b",))
    with writing(engine) as connection:
        back_again(connection, "agent", ["b"])
        assert all_pauses(connection) == ()


async def test_the_bot_ends_a_pause_without_being_asked(here: Crew) -> None:
    await asyncio.to_thread(here.asks, "pause celery --for 0s")
    await Keeping(here.deployment).once()
    shown = await asyncio.to_thread(here.asks, "stats")
    assert "PAUSED" not in notes(shown)
    assert "celery" in (here.seen("first").queues or ())
