"""What is touched while a flush is shown and confirmed stays, and so does what comes back or comes late."""

import contextlib
from typing import Any

import pytest
import redis

from knowledge_base_agent.actors import acting, shell_actor
from knowledge_base_agent.clock import utc_now
from knowledge_base_agent.fleet.going_keys import REMOVE, remove_all, unlink_all
from knowledge_base_agent.operations.flush import FLUSH, FlushTarget
from knowledge_base_agent.operations.operation import given
from knowledge_base_agent.settings import Settings
from tests.operations.place import Place, notes, shell_on
from tests.operations.test_flush import add_keys, keys
from tests.servers import RedisSpace, valkey_server


def test_a_key_that_is_touched_after_the_preview_stays(here: Place) -> None:
    # Redis keeps idle time in whole seconds: right after the preview the key seems as old as the preview.
    logs = here.deployment.settings.logs_url
    add_keys(logs, "logs", 3)
    preview = here.previews("flush")
    assert preview.affected == 3
    with contextlib.closing(redis.Redis.from_url(logs)) as client:
        client.rpush("logs:over-1", "a line that nobody was shown")
    report = here.confirms(preview)
    assert report.text.startswith("Removed 2 keys of progress and logs; ")
    assert "; 1 key touched since the preview or up to 2 s before stays." in report.text
    assert keys(logs) == {"logs:over-1"}
    here.confirms(here.previews("flush --all --no-undo --reason test"))


def test_what_was_touched_just_before_the_preview_is_shown_to_stay(here: Place) -> None:
    logs = here.deployment.settings.logs_url
    add_keys(logs, "logs", 2)
    add_keys(logs, "logs", 1, of="new", idle=0)
    preview = here.previews("flush")
    assert preview.affected == 2
    assert "; 1 key touched since the preview or up to 2 s before stays." in preview.report.text
    data = here.confirms(preview).data
    assert (data["removed"], data["kept"]) == ({"the progress store": 0, "the log store": 2}, 1)
    assert keys(logs) == {"logs:new-0"}
    here.confirms(here.previews("flush --all --no-undo --reason test"))


def test_a_store_that_goes_away_after_its_last_key_does_not_make_the_flush_fail(
    redis_space: RedisSpace, sqlite_url: str
) -> None:
    with valkey_server() as going:
        settings = Settings(
            broker_url=redis_space.broker_url,
            result_backend=redis_space.result_url,
            progress_url=redis_space.progress_url,
            logs_url=going.url(0),
            database_url=sqlite_url,
        )
        with shell_on(settings) as shell:
            add_keys(going.url(0), "logs", 3)
            target = FlushTarget(everything=True, previewed_at=utc_now(), no_undo=True)

            def told(done: int, total: int | None, note: str = "") -> None:
                if done == 3:
                    going.process.kill()
                    going.process.wait()

            with acting(shell_actor("tester"), "op-1"):
                report = given(FLUSH.run)(shell.deployment, target, told)
    assert report.succeeded
    assert report.text.startswith("Removed 3 keys")
    assert "Whether keys came to the log store meanwhile is unknown: The log store" in notes(report)


def removed(
    client: redis.Redis, mark: str | None, least: float, *spared: bytes
) -> tuple[int, set[bytes]]:
    """Remove the logs as a flush does; return how many have gone, and what stays."""
    pages = list(
        remove_all(client, "it", b"logs:", mark=mark, spared=spared, least_idle=lambda: least)
    )
    return sum(page.gone for page in pages), {key for page in pages for key in page.kept}


@pytest.mark.parametrize("mark", ["op-1:x", None])
def test_what_was_touched_a_moment_ago_is_spared_by_the_server(
    redis_space: RedisSpace, mark: str | None
) -> None:
    add_keys(redis_space.logs_url, "logs", 3, idle=0)
    add_keys(redis_space.logs_url, "cache", 1)
    every = {b"logs:over-0", b"logs:over-1", b"logs:over-2"}
    with contextlib.closing(redis.Redis.from_url(redis_space.logs_url)) as client:
        assert removed(client, mark, 3600.0) == (0, every)
        assert removed(client, mark, 0.0, b"logs:over-1") == (2, {b"logs:over-1"})
        left = {b"logs:over-1", b"cache:over-0"}
        aside = {b"kb:undo:op-1:x:logs:over-0", b"kb:undo:op-1:x:logs:over-2"} if mark else set()
        assert set(client.scan_iter()) == left | aside


def test_as_many_keys_as_lua_can_not_unpack_at_once_go_in_one_page(redis_space: RedisSpace) -> None:
    # A page is short where a server is slow: this one is asked for more than it may have.
    add_keys(redis_space.logs_url, "logs", 12_000)
    with contextlib.closing(redis.Redis.from_url(redis_space.logs_url)) as client:
        script = client.register_script(REMOVE)
        answer: Any = script(args=[0, "logs:*", 20_000, "30.0", ""])
        assert answer == [b"0", 12_000, []]
        assert client.dbsize() == 0


def test_with_no_look_at_who_touched_it_all_goes_by_name(redis_space: RedisSpace) -> None:
    add_keys(redis_space.logs_url, "logs", 1_203, idle=0)
    every = sorted(f"logs:over-{n}".encode() for n in range(1_203))
    with contextlib.closing(redis.Redis.from_url(redis_space.logs_url)) as client:
        gone = [page.gone for page in unlink_all(client, "it", [every[:1_100], every[1_000:]])]
        assert gone == [1_000, 100, 103], "what has gone already is not counted"
        assert client.dbsize() == 0


def test_a_key_that_came_again_after_it_went_aside_costs_nothing(redis_space: RedisSpace) -> None:
    add_keys(redis_space.logs_url, "logs", 1)
    with contextlib.closing(redis.Redis.from_url(redis_space.logs_url)) as client:
        for gone in (1, 0):
            assert removed(client, "op-1:x", 0.0) == (gone, set())
            client.rpush("logs:over-0", "newer")
        assert client.lrange("kb:undo:op-1:x:logs:over-0", 0, -1) == [b"line"]
