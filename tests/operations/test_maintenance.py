"""A round of maintenance is one preview and one confirmation, and tells what came of each of its parts."""

import contextlib
from collections.abc import Iterator
from datetime import timedelta

import pytest
import redis

from knowledge_base_agent.clock import utc_now
from knowledge_base_agent.problems import Misunderstood
from tests.operations.place import Shell, notes, shell_on
from tests.operations.test_clear import add_rows, rows
from tests.operations.test_flush import add_keys, keys
from tests.records.deployment import settings_for
from tests.servers import RedisSpace


@pytest.fixture
def shell(redis_space: RedisSpace, sqlite_url: str) -> Iterator[Shell]:
    """A shell where everything but workers is there."""
    with shell_on(settings_for(redis_space, sqlite_url)) as opened:
        yield opened


def old(shell: Shell, state: str, hours: int, name: str) -> None:
    add_rows(shell.deployment.engine, state, utc_now() - timedelta(hours=hours), name=name)


def test_the_daily_round_looks_for_stuck_tasks_and_asks_for_nothing(shell: Shell) -> None:
    report = shell.asks("maintenance daily")
    assert report.title == "Stuck tasks"
    assert "No stuck tasks seen" in report.text


def test_the_weekly_round_clears_successes_older_than_168_hours_alone(shell: Shell) -> None:
    old(shell, "SUCCESS", 169, "week")
    old(shell, "SUCCESS", 160, "young")
    old(shell, "FAILURE", 200, "failed")
    preview = shell.previews("maintenance weekly")
    assert preview.affected == 1
    report = shell.confirms(preview)
    assert report.succeeded
    assert "clear: Cleared 1 row" in report.text
    assert rows(shell.deployment.engine) == {"young-SUCCESS-0", "failed-FAILURE-0"}
    assert shell.asks("maintenance weekly").title == "The weekly round: nothing to do"


def test_the_monthly_round_clears_and_flushes_after_one_confirmation(
    shell: Shell, redis_space: RedisSpace
) -> None:
    old(shell, "FAILURE", 721, "month")
    old(shell, "STARTED", 721, "held")
    old(shell, "SUCCESS", 700, "young")
    add_keys(redis_space.logs_url, "logs", 4)
    preview = shell.previews("maintenance monthly")
    assert preview.affected == 5
    report = shell.confirms(preview)
    assert report.succeeded, report
    assert "clear: Cleared 1 row" in report.text
    assert "flush: Removed 4 keys" in report.text
    assert rows(shell.deployment.engine) == {"held-STARTED-0", "young-SUCCESS-0"}
    assert keys(redis_space.logs_url) == set()


def test_what_keeps_one_part_from_being_done_keeps_no_other(
    shell: Shell, redis_space: RedisSpace
) -> None:
    old(shell, "FAILURE", 721, "month")
    with contextlib.closing(redis.Redis.from_url(redis_space.logs_url)) as client:
        client.set("unacked", "x")
    add_keys(redis_space.logs_url, "logs", 1)
    preview = shell.previews("maintenance monthly")
    assert "flush is left out" in notes(preview.report)
    shell.confirms(preview)
    assert rows(shell.deployment.engine) == set()
    assert "logs:over-0" in keys(redis_space.logs_url)


def test_a_round_that_fails_in_the_middle_tells_which_part(
    shell: Shell, redis_space: RedisSpace
) -> None:
    old(shell, "FAILURE", 721, "month")
    add_keys(redis_space.logs_url, "logs", 1)
    claimed = shell.claims(shell.previews("maintenance monthly"))
    with contextlib.closing(redis.Redis.from_url(redis_space.logs_url)) as client:
        client.set("unacked", "x")
    report = shell.executes(claimed)
    assert not report.succeeded
    assert "clear: Cleared 1 row" in report.text
    assert "flush: The log store holds keys of a broker" in report.text


def test_an_unknown_round_is_told_what_there_is(shell: Shell) -> None:
    with pytest.raises(Misunderstood, match="one of daily, weekly, monthly"):
        shell.asks("maintenance yearly")
