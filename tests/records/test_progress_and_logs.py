"""Reading progress and logs: exact keys only, and what cannot be read is unknown or said."""

import contextlib
from collections.abc import Iterator
from datetime import timedelta

import pytest
from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from knowledge_base_agent.problems import Away, Misunderstood
from knowledge_base_agent.records.reporting import log_line, report_progress
from knowledge_base_agent.records.task_logs import read_logs
from knowledge_base_agent.records.task_progress import read_progress
from knowledge_base_agent.records.task_reports import TaskReports
from tests.servers import RedisSpace, free_port


@pytest.fixture
def client(redis_space: RedisSpace) -> Iterator[Redis]:
    with contextlib.closing(Redis.from_url(redis_space.progress_url)) as opened:
        yield opened


def test_a_pattern_is_not_an_id_and_matches_no_one_elses_keys(client: Redis) -> None:
    client.hset("progress:a", mapping={"done": "1"})

    for pattern in ("*", "a*", "[a]", "?", "", "x" * 129, "a b", "a\n"):
        with pytest.raises(Misunderstood):
            read_progress(client, [pattern])
        with pytest.raises(Misunderstood):
            read_logs(client, pattern)


def test_progress_that_was_never_told_is_unknown_and_not_zero(client: Redis) -> None:
    client.hset("progress:vague", mapping={"phase": "fetch", "done": "a lot"})

    found = read_progress(client, ["vague", "silent"])

    assert set(found) == {"vague"}
    assert found["vague"].done is None
    assert found["vague"].share is None
    assert found["vague"].updated_at is None


def test_a_share_is_never_more_than_all(client: Redis) -> None:
    client.hset("progress:t", mapping={"done": "7", "total": "5"})

    assert read_progress(client, ["t"])["t"].share == 1


def test_lines_of_another_program_are_shown_as_they_are(client: Redis) -> None:
    client.rpush("logs:t", b"plain \xff line", b'{"time": "yesterday"}')

    lines = read_logs(client, "t")

    assert [line.at for line in lines] == [None, None]
    assert lines[0].text.startswith("plain")


def test_a_redis_that_is_away_is_said_with_what_to_look_at() -> None:
    gone = Redis(port=free_port(), socket_connect_timeout=0.2, retry=Retry(NoBackoff(), 0))

    with pytest.raises(Away, match="REDIS_PROGRESS_URL"):
        read_progress(gone, ["t"])
    with pytest.raises(Away, match="REDIS_LOGS_URL"):
        read_logs(gone, "t")


def test_reports_wait_for_a_redis_that_is_away_without_holding_anyone_up() -> None:
    url = f"redis://127.0.0.1:{free_port()}/0"
    reports = TaskReports(progress_url=url, logs_url=url, keep=timedelta(days=1))

    reports.progress("t", {"done": 1})
    reports.log("t", level="INFO", text="a line")

    assert not reports.flush(0.1)


def test_what_was_told_field_by_field_adds_up(redis_space: RedisSpace, client: Redis) -> None:
    reports = TaskReports(
        progress_url=redis_space.progress_url,
        logs_url=redis_space.logs_url,
        keep=timedelta(days=1),
    )
    reports.progress("t", {"done": 1, "total": 9})
    assert reports.flush(2)
    reports.progress("t", {"note": "slow password=hunter2"})
    assert reports.flush(2)

    found = read_progress(client, ["t"])["t"]

    assert (found.done, found.total) == (1, 9)
    assert "hunter2" not in (found.note or "")
    assert 0 < client.ttl("progress:t") <= 24 * 3600


def test_outside_of_a_task_reporting_does_nothing() -> None:
    report_progress(done=1)
    log_line("no one hears this")
