"""Broker, database or workers away: the answer says which, since when, and what still works, within 3 s."""

import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from knowledge_base_agent.problems import Away
from knowledge_base_agent.records.migrate import migrate
from knowledge_base_agent.report import Report
from knowledge_base_agent.settings import Settings
from tests.operations.place import Shell, facts, notes, shell_on, table
from tests.servers import RedisSpace, Valkey, free_port, valkey_server

DUE_SECONDS = 3.0


def in_time(ask: Callable[[], Report]) -> Report:
    began = time.monotonic()
    try:
        return ask()
    finally:
        took = time.monotonic() - began
        assert took < DUE_SECONDS, f"the answer took {took:.1f} s"


def settings_on(urls: list[str], database_url: str) -> Settings:
    broker, progress, logs = urls
    return Settings(
        broker_url=broker,
        result_backend=broker,
        progress_url=progress,
        logs_url=logs,
        database_url=database_url,
    )


@pytest.fixture
def without_broker(sqlite_url: str) -> Iterator[Shell]:
    """A deployment whose broker refuses connections."""
    dead = f"redis://127.0.0.1:{free_port()}/0"
    with shell_on(settings_on([dead, dead, dead], sqlite_url)) as shell:
        yield shell


@pytest.fixture
def frozen_valkey() -> Iterator[Valkey]:
    """A Valkey of this test alone, which can be stopped and goes on."""
    with valkey_server() as server:
        yield server
        server.process.send_signal(signal.SIGCONT)


def test_with_the_broker_refusing_active_names_it_since_when_and_what_still_works(
    without_broker: Shell,
) -> None:
    with pytest.raises(Away) as caught:
        in_time(lambda: without_broker.asks("active"))
    assert "broker does not answer" in caught.value.what
    assert "Away since" in caught.value.what
    assert "Still works: stats and stuck, from the rows, clear, search, help." in caught.value.cure


def test_with_the_broker_refusing_stats_still_tells_the_rows(without_broker: Shell) -> None:
    report = in_time(lambda: without_broker.asks("stats"))
    assert "active tasks unknown" in report.text
    assert "0 active" not in report.text
    assert "Unknown: workers and queues" in notes(report)
    assert facts(report, "Agent")["State"] == "idle"


def test_with_the_broker_refusing_stuck_shows_rows_and_says_what_is_unknown(
    without_broker: Shell,
) -> None:
    report = in_time(lambda: without_broker.asks("stuck"))
    assert "the workers can't be asked" in report.text
    assert "What runs now is unknown" in notes(report)


def test_with_the_broker_frozen_every_question_is_answered_in_time(
    frozen_valkey: Valkey, sqlite_url: str
) -> None:
    urls = [frozen_valkey.url(number) for number in range(3)]
    with shell_on(settings_on(urls, sqlite_url)) as shell:
        assert "no worker is listening" in in_time(lambda: shell.asks("stats")).text
        frozen_valkey.process.send_signal(signal.SIGSTOP)
        assert "active tasks unknown" in in_time(lambda: shell.asks("stats")).text
        for words in ("active", "logs some-task", "revoke some-task"):
            with pytest.raises(Away):
                in_time(lambda words=words: shell.asks(words))  # type: ignore[misc]


def test_with_the_database_gone_stats_and_active_still_tell_of_the_workers(
    redis_space: RedisSpace, tmp_path: Path
) -> None:
    url = f"sqlite:///{tmp_path / 'never-migrated.sqlite3'}"
    urls = [redis_space.broker_url, redis_space.progress_url, redis_space.logs_url]
    with shell_on(settings_on(urls, url)) as shell:
        report = in_time(lambda: shell.asks("stats"))
        assert "rows unknown" in report.text
        assert "migrate" in notes(report)
        assert set(table(report, "Queues")) >= {"celery", "agent"}
        assert "No active tasks seen" in in_time(lambda: shell.asks("active")).text
        with pytest.raises(Away, match="Nothing can be changed meanwhile"):
            in_time(lambda: shell.asks("clear"))


def test_with_the_database_locked_by_another_a_clear_says_so_in_time(
    redis_space: RedisSpace, tmp_path: Path
) -> None:
    import sqlite3

    path = tmp_path / "kb.sqlite3"
    migrate(f"sqlite:///{path}")
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    urls = [redis_space.broker_url, redis_space.progress_url, redis_space.logs_url]
    try:
        with shell_on(settings_on(urls, f"sqlite:///{path}")) as shell:
            report = in_time(lambda: shell.asks("stats"))
            assert "no worker is listening" in report.text
            with pytest.raises(Away):
                in_time(lambda: shell.asks("run docs"))
    finally:
        other.close()


def test_without_workers_nobody_is_said_to_have_answered(
    redis_space: RedisSpace, sqlite_url: str
) -> None:
    urls = [redis_space.broker_url, redis_space.progress_url, redis_space.logs_url]
    with shell_on(settings_on(urls, sqlite_url)) as shell:
        report = in_time(lambda: shell.asks("active"))
        assert report.text == "No active tasks seen; no worker is listening."
        assert "No worker listens on the broker" in notes(report)
