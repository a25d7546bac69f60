"""Cleared rows come back column by column, with what their tasks left; counters are true all the way."""

import json
import threading
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select, update

from knowledge_base_agent.clock import utc_now
from knowledge_base_agent.deployment import open_deployment
from knowledge_base_agent.keeping import Keeper
from knowledge_base_agent.problems import TooLate
from knowledge_base_agent.records import states
from knowledge_base_agent.records.batches import (
    Recorded,
    change_counts,
    write_batch,
    write_entries,
)
from knowledge_base_agent.records.cleared_tables import CLEARED_TASKS
from knowledge_base_agent.records.database import reading, writing
from knowledge_base_agent.records.hidden import shown
from knowledge_base_agent.records.hidden_tables import CLEARINGS
from knowledge_base_agent.records.road_tables import RUNS
from knowledge_base_agent.records.stream_reader import Position
from knowledge_base_agent.records.tables import TASK_HOURS, TASKS
from knowledge_base_agent.records.task_history import counts, counts_by_scan
from knowledge_base_agent.records.task_message_tables import TASK_MESSAGES, TASK_RETRIES
from knowledge_base_agent.report import Report
from tests.closing import close_app
from tests.fleet.running import Site
from tests.operations.crew import Crew
from tests.records.deployment import settings_for
from tests.records.entries import entry, life
from tests.servers import RedisSpace
from tests.undo.seen import connected, database
from tests.undo.test_killed_on_the_way import dying, moments, newest, undo

Everything = tuple[object, ...]


@pytest.fixture
def there(redis_space: RedisSpace, database_url: str, tmp_path: Path) -> Iterator[Crew]:
    """Somebody at the shell of a deployment on either database, where no worker runs."""
    site = Site.on(redis_space, tmp_path)
    deployment = open_deployment(settings_for(redis_space, database_url), site.app())
    try:
        yield Crew(deployment=deployment, site=site)
    finally:
        deployment.close()
        close_app(deployment.app)


def fill(shell: Crew, space: RedisSpace, number: int = 4) -> None:
    """Let tasks have run, long ago, and have left all that tasks leave."""
    with writing(shell.deployment.engine) as connection:
        for n in range(number):
            write_entries(connection, life(f"ok-{n}"))
            write_entries(connection, [entry(states.FAILURE, f"bad-{n}", at=n)])
        write_entries(connection, [entry(states.STARTED, "running", at=1)])
        rows = [{"id": f"ok-{n}", "queue": "q", "message": "{}"} for n in range(number)]
        connection.execute(TASK_MESSAGES.insert(), rows)
        link = {"new_id": "new", "old_id": "bad-0", "retried_at": utc_now()}
        connection.execute(TASK_RETRIES.insert(), link)
    with connected(space.result_url) as results, connected(space.progress_url) as progress:
        for n in range(number):
            results.set(f"celery-task-meta-ok-{n}", json.dumps({"status": "SUCCESS"}), ex=86400)
            progress.hset(f"progress:ok-{n}", "done", n)
    with connected(space.logs_url) as logs:
        logs.rpush("logs:bad-0", "one", "two")
        logs.pexpire("logs:bad-0", 86_400_000)


def everything(shell: Crew, space: RedisSpace) -> Everything:
    """Return all rows, column by column, and every key of the stores; counters must be true."""
    with reading(shell.deployment.engine) as connection:
        assert dict(counts(connection)) == dict(counts_by_scan(connection)), "counters are true"
        seen = select(TASKS).where(shown(connection))
        others = (select(table) for table in (TASK_MESSAGES, TASK_RETRIES, TASK_HOURS))
        tables = [sorted(map(repr, connection.execute(one))) for one in (seen, *others)]
    urls = (space.result_url, space.progress_url, space.logs_url)
    return (*map(tuple, tables), *(tuple(database(url).items()) for url in urls))


def aside(shell: Crew) -> int:
    with reading(shell.deployment.engine) as connection:
        moved = connection.scalar(select(func.count()).select_from(CLEARED_TASKS)) or 0
        return moved + int(connection.scalar(select(func.sum(CLEARINGS.c.hides))) or 0)


def clear(shell: Crew, words: str = "clear --older-than 0 --reason test") -> tuple[Report, str]:
    report = shell.confirms(shell.previews(words))
    return report, next((one.words for one in report.actions if one.label == "Undo"), "")


def test_what_was_cleared_comes_back_column_by_column(there: Crew, redis_space: RedisSpace) -> None:
    fill(there, redis_space)
    before = everything(there, redis_space)
    preview = there.previews("clear --older-than 0 --reason test")
    assert "For 24 h `undo` can bring them back" in preview.report.text
    report, undo_words = clear(there)
    assert report.data["cleared"] == {"SUCCESS": 4, "FAILURE": 4}
    assert everything(there, redis_space) != before
    for url in (redis_space.result_url, redis_space.progress_url, redis_space.logs_url):
        assert not [key for key in database(url) if not key.startswith(b"kb:undo:")]
    undoing = there.previews(undo_words)
    assert "8 rows; 4 keys of the progress store; 1 key of the log store" in undoing.report.text
    there.confirms(undoing)
    assert everything(there, redis_space) == before
    assert aside(there) == 0


BY_AGE = "clear --older-than 0 --reason test"
CHOSEN = "clear --older-than 0 --name * --reason test"


@pytest.mark.parametrize("words", [BY_AGE, CHOSEN])
def test_many_rows_come_back_however_they_were_kept(
    there: Crew, redis_space: RedisSpace, words: str
) -> None:
    at = utc_now() - timedelta(days=2)
    with writing(there.deployment.engine) as connection:
        rows = [
            {"id": f"t-{n}", "name": "shop.pay", "state": "SUCCESS", "attempt": 1, "retries": 0,
             "updated_at": at + timedelta(seconds=n % 7)} for n in range(12_000)
        ]  # fmt: skip
        connection.execute(TASKS.insert(), rows)
        change_counts(connection, Counter({"SUCCESS": len(rows)}))
    before = everything(there, redis_space)
    _, undo_words = clear(there, words)
    assert aside(there) == 12_000
    done = there.confirms(there.previews(f"{undo_words} --reason test"))
    assert "Brought back 12,000 rows" in done.text
    assert everything(there, redis_space) == before


def test_a_row_that_is_there_again_is_not_overwritten(there: Crew, redis_space: RedisSpace) -> None:
    fill(there, redis_space)
    _, undo_words = clear(there)
    with writing(there.deployment.engine) as connection:
        write_entries(connection, [entry(states.STARTED, "ok-1", at=99_999)])
    undoing = there.previews(undo_words)
    assert "not 1 row" in undoing.report.text
    assert "there is a row of the same task again" in str(undoing.report.parts)
    there.confirms(undoing)
    with reading(there.deployment.engine) as connection:
        found = dict(connection.execute(select(TASKS.c.id, TASKS.c.state)).all())
        assert dict(counts(connection)) == dict(counts_by_scan(connection))
    assert (found["ok-1"], found["ok-2"], len(found)) == ("STARTED", "SUCCESS", 9)
    assert aside(there) == 1, "until its time is over"


def test_what_goes_on_can_not_be_taken_back_yet(there: Crew, redis_space: RedisSpace) -> None:
    fill(there, redis_space)
    clear(there)
    cleared = newest(there)
    with writing(there.deployment.engine) as connection:
        connection.execute(update(RUNS).values(state="started", beat_at=utc_now()))

    with pytest.raises(TooLate, match="has not ended"):
        there.previews(f"undo {cleared}")

    assert aside(there) == 8, "what the run goes on to clear would come under what is undone"


def test_counters_stay_true_while_the_same_tasks_are_recorded_during_an_undo(
    there: Crew, redis_space: RedisSpace
) -> None:
    fill(there, redis_space, 60)
    _, undo_words = clear(there)
    pending = there.previews(undo_words)
    begun = threading.Event()

    def batch(n: int) -> Recorded:
        return Recorded(
            entries=[entry(states.SUCCESS, f"ok-{n}", at=n + 99_999)],
            before=Position(last_id=f"{n}-0", number=n) if n else Position(),
            after=Position(last_id=f"{n + 1}-0", number=n + 1),
            lag=0,
            holder="test",
        )

    def record() -> None:
        for n in range(60):
            with writing(there.deployment.engine) as connection:
                write_batch(connection, batch(n))
            begun.set()

    recorder = threading.Thread(target=record)
    recorder.start()
    begun.wait()
    there.confirms(pending)
    recorder.join()
    with reading(there.deployment.engine) as connection:
        assert dict(counts(connection)) == dict(counts_by_scan(connection))


def test_what_is_over_takes_the_kept_messages_along(there: Crew, redis_space: RedisSpace) -> None:
    fill(there, redis_space)
    clear(there)
    with writing(there.deployment.engine) as connection:
        write_entries(connection, [entry(states.STARTED, "ok-1", at=99_999)])
        connection.exec_driver_sql("UPDATE keepsakes SET expires_at = '2026-01-01 00:00:00+00:00'")
    Keeper(deployment=there.deployment).keep()
    assert aside(there) == 0
    with reading(there.deployment.engine) as connection:
        left = list(connection.scalars(select(TASK_MESSAGES.c.id)))
        assert list(connection.scalars(select(TASK_RETRIES.c.old_id))) == []
    assert left == ["ok-1"], "that of a task that is there again stays"
    for url in (redis_space.result_url, redis_space.progress_url, redis_space.logs_url):
        assert database(url) == {}


def test_without_undo_nothing_is_kept(there: Crew, redis_space: RedisSpace) -> None:
    fill(there, redis_space)
    preview = there.previews("clear --older-than 0 --no-undo --reason test")
    assert "For good" in preview.report.text
    report = there.confirms(preview)
    assert not [one for one in report.actions if one.label == "Undo"]
    assert aside(there) == 0
    assert database(redis_space.result_url) == {}


@pytest.mark.timeout(300)
@pytest.mark.parametrize("words", [BY_AGE, CHOSEN])
def test_a_clear_and_its_undo_that_die_anywhere_lose_nothing(
    there: Crew, redis_space: RedisSpace, words: str
) -> None:
    fill(there, redis_space)
    before = everything(there, redis_space)
    for moment in moments():
        died = dying(there, lambda: there.previews(f"{words} --repeat"), moment)
        cleared = newest(there)
        if aside(there):
            dying(there, lambda: there.previews(f"undo {cleared}"), moment)  # noqa: B023
        undo(there, cleared)
        assert everything(there, redis_space) == before, f"killed at moment {moment}"
        if not died:
            break
    assert not died
