"""Events that came twice: known by the database, and by this process alone while that does not answer."""

import asyncio
import contextlib
import sqlite3
import time
from collections.abc import Iterator

import pytest

from bot import seen as module
from bot.seen import Seen
from bot.threads import Threads
from knowledge_base_agent.celery_app import make_app
from knowledge_base_agent.deployment import open_deployment
from knowledge_base_agent.runner import Runner
from knowledge_base_agent.settings import Settings
from tests.bot.at_work import NOWHERE, bot_at_work, settings_in
from tests.faults.proxy import Proxy, proxy_to
from tests.people import LocalSlack
from tests.waiting import await_until

MANY = 40


@pytest.fixture
def far(postgres_url: str) -> Iterator[tuple[Runner, Proxy]]:
    """A runner on PostgreSQL, which it has used, and what can make that slow or silent."""
    nowhere = dict.fromkeys(("broker_url", "result_backend", "progress_url", "logs_url"), NOWHERE)
    with proxy_to(postgres_url) as proxy:
        settings = Settings.model_validate({"database_url": proxy.url(postgres_url), **nowhere})
        deployment = open_deployment(settings, make_app(settings))
        runner = Runner(deployment)
        runner.expire_due()
        yield runner, proxy
        proxy.heal()
        deployment.close()


async def test_a_burst_is_remembered_by_a_slow_database_which_is_not_taken_for_a_silent_one(
    far: tuple[Runner, Proxy],
) -> None:
    runner, proxy = far
    ours, other = Seen(runner, Threads(8, "test")), Seen(runner, Threads(8, "test"))
    events = [f"event {number}" for number in range(MANY)]
    proxy.delay(0.15)  # each way, so a statement takes 0.3 s
    assert all(await asyncio.gather(*map(ours.first_time, events)))
    assert await ours.first_time("one more")
    assert not any(await asyncio.gather(*map(other.first_time, events)))
    assert not await other.first_time("one more")


async def test_what_a_silent_database_is_asked_in_a_burst_is_waited_for_once(
    far: tuple[Runner, Proxy],
) -> None:
    runner, proxy = far
    ours = Seen(runner, Threads(8, "test"))
    proxy.black_hole()
    began = time.monotonic()
    asking = [asyncio.create_task(ours.first_time("the first"))]
    await asyncio.sleep(0.1)  # it is on its way, and these will have to wait for it
    asking += [asyncio.create_task(ours.first_time(f"event {n}")) for n in range(MANY)]
    assert all(await asyncio.gather(*asking))
    assert time.monotonic() - began < 1.5 * module.WITHIN
    assert not await ours.first_time("event 0"), "its own memory knows it"


async def test_a_late_answer_says_that_the_database_is_not_silent(
    far: tuple[Runner, Proxy], monkeypatch: pytest.MonkeyPatch
) -> None:
    runner, proxy = far
    ours, other = Seen(runner, Threads(8, "test")), Seen(runner, Threads(8, "test"))
    monkeypatch.setattr(module, "ASKED_AGAIN_AFTER", 1_000.0)
    monkeypatch.setattr(module, "WITHIN", 0.2)
    proxy.delay(0.15)
    assert await ours.first_time("late")
    proxy.heal()
    monkeypatch.setattr(module, "WITHIN", 2.0)
    await await_until(lambda: not vars(ours)["_only_here"], what="the late answer came")
    assert await ours.first_time("afterwards")
    assert not await other.first_time("afterwards"), "the database was asked"


async def test_a_database_that_does_not_answer_is_asked_again_only_after_a_while(
    slack: LocalSlack, sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with bot_at_work(settings_in(slack, sqlite_url)) as deployment:
        runner = Runner(deployment)
        ours, other = Seen(runner, Threads(4, "test")), Seen(runner, Threads(4, "test"))
        path = sqlite_url.removeprefix("sqlite:///")
        with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as holder:
            holder.execute("BEGIN EXCLUSIVE")
            monkeypatch.setattr(module, "ASKED_AGAIN_AFTER", 1_000.0)
            assert await ours.first_time("before it was known")
            holder.execute("ROLLBACK")
        assert await ours.first_time("meanwhile"), "though it answers again"
        assert not await ours.first_time("meanwhile"), "its own memory does"
        assert await other.first_time("meanwhile"), "the database was not asked"
        monkeypatch.setattr(module, "ASKED_AGAIN_AFTER", 0.0)
        vars(ours)["_ask_at"] = 0.0
        assert await ours.first_time("afterwards")
        assert not await other.first_time("afterwards"), "the database was asked"
        assert await other.first_time("by another")
        assert not await ours.first_time("by another")
