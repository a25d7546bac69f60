"""Pausing one task: its messages are set aside, all others run, and a resume runs each exactly once, in order."""

import signal
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from redis import Redis

from knowledge_base_agent.clock import utc_now
from knowledge_base_agent.fleet.deadline import Deadline
from knowledge_base_agent.keeping import Keeper
from knowledge_base_agent.problems import Misunderstood, NotFound
from knowledge_base_agent.records.database import writing
from knowledge_base_agent.records.migrate import migrate
from knowledge_base_agent.records.task_pauses import all_back, begin_task_pause, end_task_pause
from tests.operations.crew import Crew, crew
from tests.operations.place import notes, shell_on, table
from tests.records.deployment import settings_for, worker
from tests.servers import RedisSpaces, rabbitmq_vhost
from tests.waiting import wait_until


@pytest.fixture
def here(redis_spaces: RedisSpaces, tmp_path: Path) -> Iterator[Crew]:
    """Nobody works here yet."""
    with redis_spaces.one() as space, crew(space, tmp_path) as found:
        yield found


def aside(here: Crew) -> int:
    return sum(one.count for one in here.deployment.fleet.parking.counts(Deadline.after(2)))


def await_aside(here: Crew, number: int) -> None:
    wait_until(lambda: aside(here) == number, what=f"{number} are set aside")


@pytest.mark.parametrize("pool", ["prefork", "threads", "solo"])
def test_none_runs_while_paused_and_all_run_once_and_in_order_when_resumed(
    here: Crew, pool: str
) -> None:
    here.hire("one", "-c", "1", "-P", pool)
    report = here.asks("pause tiny.quick")
    assert "1 of 1 worker seen to set it aside" in report.text
    assert table(report, "Workers")["one@here"].cells[1] == "yes"
    sent = [here.send("quick") for _ in range(25)]
    other = here.send("nap", 0)
    await_aside(here, 25)
    here.site.await_began([other])
    assert not set(sent) & set(here.began()), "none of them ran, though the worker is idle"
    assert "PAUSED: task tiny.quick, by tester" in notes(here.asks("stats"))
    assert "Set aside so far: 25" in notes(here.asks("active"))
    assert "celery (set aside)" in str(here.asks(f"task {sent[3]}"))
    resumed = here.asks("resume tiny.quick")
    assert resumed.data == {"task": "tiny.quick", "brought_back": 25, "left": 0}
    here.site.await_began(sent)
    assert [one for one in here.began() if one in sent] == sent, "each once, in order"
    assert "PAUSED" not in notes(here.asks("stats"))
    assert Keeper(deployment=here.deployment).keep() == ()


def test_a_message_comes_back_as_it_was_with_its_priority_and_its_time(here: Crew) -> None:
    here.hire("one", "-c", "1")
    here.asks("pause tiny.quick")
    due = utc_now() + timedelta(seconds=3)
    later = here.send("quick", eta=due)
    urgent, expired = here.send("quick", priority=9), here.send("quick", expires=0.5)
    await_aside(here, 3)
    wait_until(lambda: utc_now() > due - timedelta(seconds=2), what="one of them has expired")
    here.asks("resume tiny.quick")
    here.site.await_began([urgent, later])
    assert utc_now() >= due
    assert here.began() == [urgent, later]
    assert expired not in here.began()


def test_a_worker_that_is_killed_while_it_sets_aside_loses_nothing(here: Crew) -> None:
    visible = {"TINY_VISIBILITY": "0.1"}
    here.hire("first", "-c", "1", **visible)
    here.asks("pause tiny.quick")
    here.site.signal("first@here", signal.SIGSTOP)
    sent = [here.send("quick") for _ in range(1000)]
    here.site.signal("first@here", signal.SIGCONT)
    wait_until(lambda: aside(here) > 20, what="it is at it")
    wait_until(lambda: stopped_where_the_broker_has(sent, here), what="it is between two messages")
    here.site.signal("first@here", signal.SIGKILL)
    here.site.processes["first@here"].wait()
    assert aside(here) < 1000, "killed in the middle of it"
    here.site.await_workers(here.deployment.fleet, 0)
    here.site.start("first@here", "-c", "1", key="again", **visible)
    here.site.await_workers(here.deployment.fleet, 1)
    here.asks("resume tiny.quick")
    wait_until(lambda: set(sent) <= set(here.began()), within=30, what="all have run")
    again = len(here.began()) - len(sent)
    assert 0 <= again <= 8, "at most what it held when it died has run twice"


def stopped_where_the_broker_has(sent: list[str], here: Crew) -> bool:
    """Stop the worker, and let it go on unless the broker has every message.

    Between the answer to a BRPOP and the entry in `unacked` kombu's consumer alone has one, whatever is done with it
    then. Killed there, a worker loses it.
    """
    here.site.signal("first@here", signal.SIGSTOP)
    with closing(Redis.from_url(here.deployment.settings.broker_url)) as client:
        for _ in range(2):
            client.ping()  # what it has sent is done by then
        kinds = {key: client.type(key) for key in client.scan_iter(count=1000)}
        kept = [
            *(item for one in kinds if kinds[one] == b"list" for item in client.lrange(one, 0, -1)),
            *(item for one in kinds if kinds[one] == b"hash" for item in client.hvals(one)),
        ]
    text = b"".join(kept)  # type: ignore[arg-type]  # no decode_responses
    if all(one.encode() in text for one in sent):
        return True
    here.site.signal("first@here", signal.SIGCONT)
    return False


def test_a_worker_that_joins_sets_aside_too_and_a_pause_for_a_time_ends_by_itself(
    here: Crew,
) -> None:
    here.hire("first", "-c", "1")
    here.asks("pause tiny.quick --for 1h")
    here.hire("second", "-c", "1")
    keeper = Keeper(deployment=here.deployment)
    (done,) = keeper.keep()
    assert "second@here was told that tiny.quick is paused" in done
    assert keeper.keep() == ()
    sent = [here.send("quick") for _ in range(10)]
    await_aside(here, 10)
    here.asks("pause tiny.quick --for 0s")
    said = " ".join(keeper.keep())
    assert "the pause of tiny.quick by tester is over" in said
    assert "10 messages of tiny.quick went back" in said
    here.site.await_began(sent)
    wait_until(lambda: keeper.keep() == (), what="nothing is left to do")
    with pytest.raises(NotFound, match="no task is paused"):
        here.asks("resume tiny.quick")


def test_what_was_taken_before_goes_on_and_is_said(here: Crew) -> None:
    here.hire("one", "-c", "1")
    running = here.send("nap", 3)
    here.site.await_began([running])
    held = here.send("nap", 0)
    wait_until(lambda: here.seen("one").waiting == 1, what="it is taken in advance")
    said = notes(here.asks("pause tiny.nap"))
    assert "1 running, 1 taken in advance" in said
    here.site.await_began([held])


def test_a_worker_that_does_not_know_our_commands_is_refused_or_named(here: Crew) -> None:
    here.hire("foreign", "-c", "1", TINY_KNOWS_LOOK="0")
    with pytest.raises(Misunderstood, match=r"foreign@here .*import knowledge_base_agent") as no:
        here.asks("pause tiny.quick")
    assert no.value.suggestion == "pause celery"
    here.hire("ours", "-c", "1")
    report = here.asks("pause tiny.quick")
    assert not report.succeeded
    assert "These go on running it, for they don't know our commands: foreign@here" in notes(report)
    assert table(report, "Workers").keys() == {"ours@here"}


def test_what_is_set_aside_comes_back_though_the_row_of_its_pause_was_lost(here: Crew) -> None:
    here.hire("one", "-c", "1")
    here.asks("pause tiny.quick")
    sent = [here.send("quick") for _ in range(3)]
    await_aside(here, 3)
    with writing(here.deployment.engine) as connection:
        end_task_pause(connection, "tiny.quick", at=utc_now(), by="ann")
        all_back(connection, "tiny.quick")
    assert here.asks("resume tiny.quick").data["brought_back"] == 3
    here.site.await_began(sent)


def test_on_rabbitmq_a_task_is_refused_with_the_reason_and_its_queue_offered(
    redis_spaces: RedisSpaces, tmp_path: Path
) -> None:
    url = f"sqlite:///{tmp_path / 'kb.sqlite3'}"
    migrate(url)
    with redis_spaces.one() as space, rabbitmq_vhost() as broker:
        settings = settings_for(replace(space, broker_url=broker), url)
        with shell_on(settings) as shell:
            with (
                worker(settings, shell.deployment.app),
                pytest.raises(Misunderstood, match="on Redis alone") as refused,
            ):
                shell.asks("pause history.add")
            assert refused.value.suggestion == "pause celery"


def test_a_purge_says_what_is_set_aside_and_leaves_it_and_a_complete_reset_drops_it(
    here: Crew,
) -> None:
    here.hire("one", "-c", "1")
    here.asks("pause tiny.quick")
    sent = [here.send("quick") for _ in range(3)]
    await_aside(here, 3)
    assert "3 messages of tiny.quick from celery stay set aside" in notes(here.asks("purge"))
    assert aside(here) == 3
    report = here.confirms(here.previews("reset --complete --reason test"))
    assert report.succeeded, report
    assert "3 messages removed, 0 left" in str(report)
    assert aside(here) == 0
    here.site.processes.pop("one@here").wait(20)
    here.hire("two", "-c", "1")
    assert here.asks("resume tiny.quick").data["brought_back"] == 0
    here.site.await_began([here.send("quick")])
    assert not set(sent) & set(here.began())


def test_a_worker_of_ours_that_starts_sets_aside_from_its_first_message(
    redis_spaces: RedisSpaces, tmp_path: Path
) -> None:
    url = f"sqlite:///{tmp_path / 'kb.sqlite3'}"
    migrate(url)
    with redis_spaces.one() as space, shell_on(settings_for(space, url)) as shell:
        deployment, app = shell.deployment, shell.deployment.app
        with writing(deployment.engine) as connection:
            begin_task_pause(connection, "history.add", at=utc_now(), by="ann", until=None)
        waiting = app.send_task("history.add", (1, 1))
        parking = deployment.fleet.parking
        with worker(deployment.settings, app):
            wait_until(lambda: parking.counts(Deadline.after(2)), what="it is set aside")
            found = deployment.fleet.find_pending(Deadline.after(2), [waiting.id]).found
            assert [str(one.waits) for one in found] == ["set aside"]
            assert "1 message went back" in shell.asks("resume history.add").text
            assert waiting.get(timeout=10) == 2
