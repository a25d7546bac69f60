"""Events that came twice: known by the database, and by this process alone while that does not answer."""

import contextlib
import sqlite3

import pytest

from bot import seen as module
from bot.seen import Seen
from bot.threads import Threads
from knowledge_base_agent.runner import Runner
from tests.bot.at_work import bot_at_work, settings_in
from tests.people import LocalSlack


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
