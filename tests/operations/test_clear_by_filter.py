"""A clear by filter takes what it showed and no more, and what its tasks left elsewhere goes too."""

import contextlib
from collections.abc import Iterator

import pytest
from redis import Redis

from knowledge_base_agent.records.database import reading
from knowledge_base_agent.records.task_history import rows_by_ids
from tests.operations.place import Shell, notes, shell_on
from tests.operations.test_filters import remember
from tests.records.deployment import settings_for
from tests.servers import RedisSpace

ALL = ("pay-1", "pay-2", "ship-1", "young", "runs")

ALONG = "; with the results, progress and logs, as far as there are any."


@pytest.fixture
def shell(database_url: str, redis_space: RedisSpace) -> Iterator[Shell]:
    """A shell on a database and on Redis, with a few rows; no worker is needed."""
    with shell_on(settings_for(redis_space, database_url)) as opened:
        engine = opened.deployment.engine
        remember(engine, "pay-1", hours=30)
        remember(engine, "pay-2", hours=31, error_class="ValueError", error_message="no price")
        remember(engine, "ship-1", hours=30, name="shop.ship")
        remember(engine, "young", hours=1)
        remember(engine, "runs", hours=30, state="PROGRESS")
        yield opened


def left(shell: Shell) -> set[str]:
    with reading(shell.deployment.engine) as connection:
        return set(rows_by_ids(connection, ALL))


@pytest.mark.parametrize(
    ("words", "gone"),
    [
        ("clear --name shop.pay", {"pay-1", "pay-2"}),
        ("clear --error price --state FAILURE", {"pay-2"}),
        ("clear --older-than 24 --since 30.5h", {"pay-1", "ship-1"}),
        ("clear --older-than 0 --until 2h --name shop.p* --reason test", {"pay-1", "pay-2"}),
        ("clear-old-tasks --older-than 0 --id young --reason test", {"young"}),
        ("clear --status PROGRESS --name shop.pay", {"runs"}),
    ],
)
def test_the_words_of_find_choose_what_is_cleared(shell: Shell, words: str, gone: set[str]) -> None:
    preview = shell.previews(words)
    assert preview.affected == len(gone)
    shell.confirms(preview)
    assert left(shell) == set(ALL) - gone


def test_results_progress_and_logs_of_cleared_tasks_go_and_those_of_running_ones_stay(
    shell: Shell,
) -> None:
    settings = shell.deployment.settings
    with (
        contextlib.closing(Redis.from_url(settings.progress_url)) as progress,
        contextlib.closing(Redis.from_url(settings.logs_url)) as logs,
        contextlib.closing(Redis.from_url(settings.result_backend)) as results,
    ):
        for one in ALL:
            progress.hset(f"progress:{one}", "done", 1)
            logs.rpush(f"logs:{one}", "x")
            results.set(f"celery-task-meta-{one}", "{}")
        shell.confirms(shell.previews("clear"))
        report = shell.confirms(shell.previews("clear --status PROGRESS"))
        assert report.succeeded
        kept = {"young", "runs"}
        for one in ALL:
            seen = (
                progress.exists(f"progress:{one}"),
                logs.exists(f"logs:{one}"),
                results.exists(f"celery-task-meta-{one}"),
            )
            assert seen == ((1, 1, 1) if one in kept else (0, 0, 0)), one
    assert left(shell) == {"young"}


def test_what_few_of_many_tasks_left_is_found_and_what_is_not_theirs_stays(shell: Shell) -> None:
    settings = shell.deployment.settings
    with (
        contextlib.closing(Redis.from_url(settings.progress_url)) as progress,
        contextlib.closing(Redis.from_url(settings.result_backend)) as results,
    ):
        progress.hset("progress:pay-1", "done", 1)
        progress.set("other", 1)
        results.set("celery-task-meta-", 1)
        results.set("celery-task-meta-young", 1)
        shell.confirms(shell.previews("clear --no-undo"))
        assert set(progress.scan_iter()) == {b"other"}
        assert set(results.scan_iter()) == {b"celery-task-meta-", b"celery-task-meta-young"}


def test_rows_go_while_redis_is_away_and_what_remains_is_said(
    database_url: str, redis_space: RedisSpace
) -> None:
    nowhere = "redis://127.0.0.1:1/0"
    settings = settings_for(redis_space, database_url, progress_url=nowhere, logs_url=nowhere)
    with shell_on(settings) as shell:
        for number in range(3):
            remember(shell.deployment.engine, f"old-{number}", hours=30)
        report = shell.confirms(shell.previews("clear"))
    said = "Cleared 3 rows: 3 FAILURE; what they left may be there still, in part or all of it."
    assert report.text == said, "the run and the audit keep no more than this"
    assert "The progress of 3 of these tasks may be left" in notes(report)
    assert "The log lines of 3 of these tasks may be left" in notes(report)
    assert "results" not in notes(report)
