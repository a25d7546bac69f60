"""A bot that is told to stop while somebody waits: they hear what was not done, and can have it done afterwards."""

import asyncio
import contextlib
import sqlite3
import threading
from collections.abc import Callable, Collection, Iterator

import pytest
from pydantic import SecretStr

from bot import app, errands
from knowledge_base_agent.records.database import reading
from knowledge_base_agent.records.road_tables import RUNS
from knowledge_base_agent.runner import Runner
from tests.bot.at_work import bot_at_work, old_failures, recorded, settings_in
from tests.people import LocalSlack
from tests.servers import free_port
from tests.waiting import await_until

CLEAR = "/kb clear --older-than 24 --status FAILURE"
NOT_BEGUN = "stopped before this began, and nothing of it was done"


@contextlib.contextmanager
def held_back(sqlite_url: str) -> Iterator[Callable[[], object]]:
    """Hold the database, so that no event can be remembered and begin; lends what lets go of it a moment later."""
    path = sqlite_url.removeprefix("sqlite:///")
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as holder:
        holder.execute("BEGIN EXCLUSIVE")
        loop = asyncio.get_running_loop()
        yield lambda: loop.call_later(0.3, holder.execute, "ROLLBACK")


async def test_who_asked_and_who_clicked_and_had_no_turn_before_the_stop_hear_that_nothing_was_done(
    slack: LocalSlack, sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(errands, "_STILL_BEGUN", 0.0)
    otto, vera = slack.person("otto"), slack.person("vera")
    settings = settings_in(slack, sqlite_url)
    with contextlib.ExitStack() as holding:
        async with bot_at_work(settings) as deployment:
            old_failures(deployment)
            await otto.types(CLEAR, in_="#ops")
            preview = await otto.sees("1 FAILURE")
            let_go = holding.enter_context(held_back(sqlite_url))
            await vera.types("/kb help", in_="#ops")
            await otto.clicks("Confirm", on=preview)
            let_go()
    for person in (vera, otto):
        told = await person.sees(NOT_BEGUN, within=1)
        assert told.is_ephemeral
        assert "Ask or click again in a minute" in told.shown
    async with bot_at_work(settings) as deployment:
        assert [NOT_BEGUN in detail for *_, detail in recorded(deployment)].count(True) == 2
        with reading(deployment.engine) as connection:
            assert connection.execute(RUNS.select()).all() == []
        await otto.clicks("Confirm", on=preview)
        await otto.sees_change(preview, "Cleared 1 row")


async def test_whose_answer_is_not_there_when_the_time_for_stopping_is_over_hears_so(
    slack: LocalSlack, sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app, "FINISH_WITHIN", 2.0)
    otto = slack.person("otto")

    async def posting() -> bool:
        return bool(await slack.calls("chat.postMessage"))

    async with bot_at_work(settings_in(slack, sqlite_url)):
        await slack.fails("chat.postMessage", "hang")
        await otto.types("/kb find --state FAILURE", in_="#ops")
        await await_until(posting, what="the answer is on its way")
    told = await otto.sees("stopped before it could answer this", within=1)
    assert told.is_ephemeral
    assert "Look at `/kb ops`" in told.shown


async def test_a_form_that_was_sent_off_over_http_when_the_bot_was_told_to_stop_is_not_lost(
    slack: LocalSlack, sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours, asked = Runner.first_seen, threading.Event()

    def first_seen(self: Runner, event_ids: Collection[str]) -> frozenset[str]:
        if any(one.startswith("signature") for one in event_ids):
            asked.set()
        return ours(self, event_ids)

    monkeypatch.setattr(Runner, "first_seen", first_seen)
    otto, port = slack.person("otto"), free_port()
    secret = SecretStr(slack.signing_secret)
    settings = settings_in(
        slack, sqlite_url, slack_app_token=None, slack_signing_secret=secret, port=port
    )
    await slack.do("bot_url", url=f"http://127.0.0.1:{port}/slack/events")
    with contextlib.ExitStack() as holding:
        async with bot_at_work(settings) as deployment:
            old_failures(deployment)
            await otto.types("/kb clear", in_="#ops")
            form = await otto.sees_modal("/kb clear")
            let_go = holding.enter_context(held_back(sqlite_url))
            sent = asyncio.create_task(otto.submits(form, {"Older than": "9h"}))
            await await_until(asked.is_set, what="it has come")
            let_go()
        assert (await sent)["delivered"]
    await otto.sees("1 FAILURE", within=1)
