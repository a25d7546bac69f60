"""Flushed keys come back byte by byte, and expire when they would have expired anyway."""

import pytest

from knowledge_base_agent.fleet.aside_keys import put_keys_aside
from knowledge_base_agent.report import Report
from tests.operations.crew import Crew
from tests.operations.place import table
from tests.servers import RedisSpace
from tests.undo.seen import connected, database
from tests.undo.test_killed_on_the_way import dying, moments, newest, undo

THREE_HOURS = 10_800_000


def fill(space: RedisSpace, number: int = 5) -> None:
    """Let tasks have told progress and logged: with expiry, without, and with bytes that are no text."""
    with connected(space.progress_url) as progress, connected(space.logs_url) as logs:
        for n in range(number):
            progress.hset(f"progress:t:{n}", mapping={"done": n, "note": b"\xff\x00 \n"})
            logs.rpush(f"logs:t:{n}", *(f"line {one}" for one in range(n + 1)))
        progress.pexpire("progress:t:0", THREE_HOURS)
        logs.pexpire("logs:t:1", THREE_HOURS * 24)
        progress.set("history", "stays")


def flush(shell: Crew) -> tuple[Report, str]:
    report = shell.confirms(shell.previews("flush --all --reason test"))
    (button,) = [one for one in report.actions if one.label == "Undo"]
    return report, button.words


def test_what_was_flushed_comes_back_with_its_expiry(alone: Crew, redis_space: RedisSpace) -> None:
    fill(redis_space)
    before = database(redis_space.progress_url), database(redis_space.logs_url)
    preview = alone.previews("flush --all --reason test")
    assert "For 24 h `undo` can bring them back" in preview.report.text
    report, undo_words = flush(alone)
    assert report.data["removed"] == {"the progress store": 5, "the log store": 5}
    for url in (redis_space.progress_url, redis_space.logs_url):
        left = [key for key in database(url) if not key.startswith(b"kb:undo:")]
        assert left in ([], [b"history"])
    assert alone.asks("flush --all").title == "Nothing to flush", (
        "what is aside is no key of a task"
    )

    undoing = alone.previews(undo_words)
    shown = table(undoing.report, "What comes back")
    assert shown["keys of the progress store"].cells[1] == 5
    alone.confirms(undoing)
    assert (database(redis_space.progress_url), database(redis_space.logs_url)) == before


def test_a_key_that_is_there_again_is_not_overwritten(alone: Crew, redis_space: RedisSpace) -> None:
    fill(redis_space)
    _, undo_words = flush(alone)
    with connected(redis_space.logs_url) as logs:
        logs.rpush("logs:t:2", "newer")
        undoing = alone.previews(undo_words)
        row = table(undoing.report, "What comes back")["keys of the log store"]
        assert row.cells[1:] == (4, 1, "something newer has their names")
        done = alone.confirms(undoing)
        assert done.title == "Undid op-1, not all of it"
        assert logs.lrange("logs:t:2", 0, -1) == [b"newer"]


def test_a_key_that_would_have_expired_meanwhile_does_not_come_back(
    alone: Crew, redis_space: RedisSpace
) -> None:
    with connected(redis_space.progress_url) as client:
        client.hset("progress:a", "done", 1)
        client.hset("progress:b", "done", 1)
        client.pexpire("progress:a", 200)
        _, undo_words = flush(alone)
        while any(b":progress:a" in key for key in client.scan_iter(count=1000)):
            client.get("x")
        alone.confirms(alone.previews(undo_words))
        assert set(client.scan_iter()) == {b"progress:b"}


def test_without_undo_the_keys_go_at_once(alone: Crew, redis_space: RedisSpace) -> None:
    fill(redis_space)
    preview = alone.previews("flush --all --no-undo --reason test")
    assert "For good" in preview.report.text
    report = alone.confirms(preview)
    assert not [one for one in report.actions if one.label == "Undo"]
    assert set(database(redis_space.progress_url)) == {b"history"}


def test_a_key_keeps_its_expiry_while_it_is_aside(redis_space: RedisSpace) -> None:
    with connected(redis_space.progress_url) as client:
        client.set("k", "v", px=THREE_HOURS)
        at = client.pexpiretime("k")
        assert put_keys_aside(client, "it", ["k", "none"], "op-1:x") == 1, "what is gone is none"
        assert client.pexpiretime("kb:undo:op-1:x:k") == at
        assert list(client.scan_iter()) == [b"kb:undo:op-1:x:k"]


@pytest.mark.timeout(300)
def test_a_flush_and_its_undo_that_die_anywhere_lose_nothing(
    alone: Crew, redis_space: RedisSpace
) -> None:
    fill(redis_space, 3)
    before = database(redis_space.progress_url), database(redis_space.logs_url)
    for moment in moments():
        died = dying(alone, lambda: alone.previews("flush --all --reason test --repeat"), moment)
        flushed = newest(alone)
        if database(redis_space.progress_url) != before[0]:
            dying(alone, lambda: alone.previews(f"undo {flushed}"), moment)  # noqa: B023
        undo(alone, flushed)
        now = database(redis_space.progress_url), database(redis_space.logs_url)
        assert now == before, f"killed at moment {moment}"
        if not died:
            break
    assert moment > 10
    assert not died
