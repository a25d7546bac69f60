"""What is changed while workers are frozen, gone, or handed a message twice; the tasks' own ledger is the judge."""

import contextlib
import json
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from celery import chord

from knowledge_base_agent.keeping import Keeper
from knowledge_base_agent.problems import Misunderstood
from knowledge_base_agent.understand import understand
from tests.closing import close_app
from tests.operations.crew import Crew, crew
from tests.operations.place import notes, row_of, shell_on
from tests.operations.test_doctor import examined, found
from tests.records.deployment import settings_for
from tests.servers import RABBITMQ_URL, RedisSpaces, Valkey, absent, valkey_server
from tests.waiting import wait_until


@pytest.fixture
def here(redis_spaces: RedisSpaces, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Crew]:
    """Nobody works here yet."""
    with redis_spaces.one() as space, crew(space, tmp_path_factory.mktemp("crew")) as found_:
        yield found_


def test_a_shutdown_that_nobody_answered_is_unknown_and_takes_effect_when_the_worker_wakes(
    here: Crew,
) -> None:
    """The control call had timed out; the worker woke 8 s later, and ended."""
    here.hire("first", "-c", "1")
    pending = here.previews("workers shutdown first --wait 0s --reason test")
    here.site.signal("first@here", signal.SIGSTOP)
    report = here.confirms(pending)
    assert report.data["ends"] == {"first@here": "unknown"}
    assert "they may still end when they wake. Look again." in notes(report)
    assert not report.succeeded
    assert here.site.processes["first@here"].poll() is None
    here.site.signal("first@here", signal.SIGCONT)
    assert here.site.processes["first@here"].wait(15) == 0


def test_a_revoke_that_nobody_hears_is_remembered_and_said_to_be_no_more_than_that(
    here: Crew,
) -> None:
    """Celery raises nothing, and the tasks run later."""
    revoked = here.send("quick", countdown=5)
    report = here.confirms(here.previews(f"revoke {revoked}"))
    assert not report.succeeded
    assert "1 task: remembered. Each worker that joins is told" in report.text
    here.hire("first", "-c", "1")
    assert "was told of 1 revoked task" in Keeper(deployment=here.deployment).keep()[0]
    other = here.send("quick", countdown=5)
    here.site.await_began([other])
    assert revoked not in here.began()


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_a_revoke_outlives_a_restart_with_a_statedb_however_the_worker_ended(
    here: Crew, tmp_path: Path, how: signal.Signals
) -> None:
    """With `--statedb` it ran 0 times after SIGTERM and once after SIGKILL."""
    more = ("-c", "1", f"--statedb={tmp_path}/state.db")
    here.hire("first", *more, TINY_VISIBILITY="0.1")
    revoked, other = here.send("quick", countdown=9), here.send("quick", countdown=9)
    wait_until(lambda: here.seen("first").postponed == 2, what="it keeps both")
    here.confirms(here.previews(f"revoke {revoked}"))
    here.site.signal("first@here", how)
    here.site.processes["first@here"].wait(15)
    here.site.await_workers(here.deployment.fleet, 0)
    here.site.start("first@here", *more, key="again", TINY_VISIBILITY="0.1")
    here.site.await_workers(here.deployment.fleet, 1)
    Keeper(deployment=here.deployment).keep()
    here.site.await_began([other])
    assert revoked not in here.began()


def test_the_preview_of_a_revoke_names_the_chord_whose_members_wait_in_a_queue(here: Crew) -> None:
    """Its body stayed PENDING for ever."""
    app = here.site.app()
    member = app.tasks["tiny.quick"].s().set(queue="members")
    chord([member, member], app.tasks["tiny.nap"].si(0)).apply_async()
    with redis.Redis.from_url(here.site.broker_url) as client:
        ids = [json.loads(raw)["headers"]["id"] for raw in client.lrange("members", 0, -1)]
    close_app(app)
    report = here.previews(f"revoke {' '.join(ids)}").report
    assert "for the chord of tiny.nap" in str(row_of(report, ids[0]).cells[1])
    assert "2 of these are parts of chords: without it the chord's body never runs" in notes(report)


def test_a_task_that_was_handed_out_twice_is_marked_wherever_it_is_shown(here: Crew) -> None:
    """With a visibility timeout shorter than the wait, a prefetched task ran twice."""
    here.hire("first", "-c", "1", TINY_VISIBILITY="1")
    blocking = here.send("nap", 60)
    here.site.await_began([blocking])
    twice, third = here.send("nap", 60), here.send("quick")
    wait_until(lambda: here.seen("first").waiting == 2, what="they are taken in advance")
    here.site.signal("first@here", signal.SIGSTOP)
    # A worker gives back at its start what is overdue by then; after that kombu looks every hundred seconds only.
    with contextlib.closing(redis.Redis.from_url(here.site.broker_url)) as client:
        wait_until(
            lambda: client.zcount("unacked_index", "-inf", time.time() - 1.5) == 2,
            what="both are overdue",
        )
    here.site.start("second@here", "-c", "1", TINY_VISIBILITY="1")
    here.site.await_workers(here.deployment.fleet, 1)
    wait_until(lambda: twice in here.began() or third in here.began(), within=30)
    wait_until(lambda: here.seen("second").waiting == 1, what="the other waits")
    (waiting,) = {twice, third} - set(here.began()) or {third}
    row = row_of(here.asks("reserved"), waiting)
    assert "yes" in row.cells
    here.site.signal("first@here", signal.SIGCONT)


def test_no_time_limit_is_offered_for_prefork_says_it_is_set_and_ignores_it() -> None:
    for words in ("workers time-limit tiny.nap 10", "time-limit tiny.nap 10"):
        with pytest.raises(Misunderstood):
            understand(words)


def test_on_rabbitmq_the_doctor_names_the_consumer_timeout_of_what_is_acknowledged_late(
    sqlite_url: str, redis_spaces: RedisSpaces
) -> None:
    """After 30 minutes the worker loses its channel, and the task runs again."""
    with redis_spaces.one() as space:
        settings = settings_for(space, sqlite_url, broker_url=RABBITMQ_URL)
        with shell_on(settings) as shell:
            shell.deployment.app.conf.task_acks_late = True
            check = found(examined(shell.deployment), "Time limit against redelivery")
    if check[0] == "unknown":
        absent("RabbitMQ")
    assert check[0] == "warning"
    assert "consumer_timeout (30 min" in check[1]
    assert "Raise consumer_timeout" in check[2]


def test_after_a_restart_of_the_broker_the_first_question_is_answered(sqlite_url: str) -> None:
    """The client's next call raised once."""
    with valkey_server() as server, RedisSpaces(server).one() as space:
        settings = settings_for(space, sqlite_url)
        with shell_on(settings) as shell, contextlib.ExitStack() as ending:
            assert "no worker is listening" in shell.asks("stats").text
            server.process.kill()
            server.process.wait()
            process = again(server)
            ending.callback(process.wait)
            ending.callback(process.kill)
            assert "no worker is listening" in shell.asks("active").text
            assert "0 messages ready" in shell.asks("stats").text


def again(server: Valkey) -> "subprocess.Popen[bytes]":
    """Start the same server once more, on the same port."""
    command = [str(word) for word in server.process.args]  # type: ignore[union-attr]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)

    def answers() -> bool:
        with redis.Redis.from_url(server.url(0), socket_timeout=1) as client:
            try:
                return bool(client.ping())
            except redis.ConnectionError:
                return False

    wait_until(answers, what="it is back")
    return process
