"""A bot at work: previews expire, repeats are dropped, interrupted runs are announced, outages are said in time."""

from datetime import timedelta

import pytest
from sqlalchemy import update

from bot.blocks.problem import problem_message
from bot.commands import conversation
from bot.messages import Messages, Place
from knowledge_base_agent.actors import Actor, Surface
from knowledge_base_agent.clock import utc_now
from knowledge_base_agent.deployment import Deployment
from knowledge_base_agent.problems import Misunderstood
from knowledge_base_agent.records.database import writing
from knowledge_base_agent.records.road_tables import CONFIRMATIONS, RUNS
from knowledge_base_agent.runs import start
from tests.bot.at_work import bot_at_work, old_failures, settings_in
from tests.bot.samples import MISUNDERSTOOD
from tests.people import LocalSlack
from tests.waiting import await_until

CLEAR = "/kb clear --older-than 24 --status FAILURE"


async def test_a_preview_that_nobody_confirms_expires_and_loses_its_buttons(
    slack: LocalSlack, sqlite_url: str
) -> None:
    async with bot_at_work(settings_in(slack, sqlite_url, confirm_minutes=0.02)) as deployment:
        old_failures(deployment)
        otto = slack.person("otto")
        await otto.types(CLEAR, in_="#ops")
        preview = await otto.sees("1 FAILURE")
        gone = await otto.sees_change(preview, "not confirmed in time")
        assert gone.buttons == []
        assert "Nothing was done" in gone.shown


async def test_a_preview_expires_while_the_bot_is_away(slack: LocalSlack, sqlite_url: str) -> None:
    settings = settings_in(slack, sqlite_url, confirm_minutes=0.02)
    otto = slack.person("otto")
    async with bot_at_work(settings) as deployment:
        old_failures(deployment)
        await otto.types(CLEAR, in_="#ops")
        preview = await otto.sees("1 FAILURE")
    async with bot_at_work(settings):
        await otto.sees_change(preview, "not confirmed in time")


async def test_a_run_whose_process_is_gone_is_announced_on_its_message(
    slack: LocalSlack, sqlite_url: str
) -> None:
    async with bot_at_work(settings_in(slack, sqlite_url)) as deployment:
        old_failures(deployment)
        otto = slack.person("otto")
        await otto.types(CLEAR, in_="#ops")
        preview = await otto.sees("1 FAILURE")
        begun_and_lost(deployment, preview.channel, preview.ts)
    async with bot_at_work(settings_in(slack, sqlite_url)):
        told = await otto.sees_change(preview, "was interrupted", within=20)
        assert "not started again by itself" in told.shown
        assert told.buttons == []


def begun_and_lost(deployment: Deployment, place: str, message: str) -> None:
    otto = Actor(id="U0OTTO000", name="otto", surface=Surface.SLACK)
    with writing(deployment.engine) as connection:
        start(connection, otto, operation="clear", words="clear", place=place, message=message)
        connection.execute(update(RUNS).values(beat_at=utc_now() - timedelta(minutes=1)))


async def test_the_same_payload_twice_is_answered_once(slack: LocalSlack, sqlite_url: str) -> None:
    async with bot_at_work(settings_in(slack, sqlite_url)):
        vera = slack.person("vera")
        await vera.types("/kb help", in_="#ops")
        await vera.sees("What you can ask")
        await slack.do("redeliver_last")
        await vera.types("/kb help clear", in_="#ops")
        await vera.sees("help clear")
        titles = [message.text.partition(":")[0] for message in await vera.looks(in_="#ops")]
        assert titles == ["What you can ask", "help clear"]


async def test_a_confirmation_in_a_channel_without_the_bot_goes_to_the_person(
    slack: LocalSlack, sqlite_url: str
) -> None:
    async with bot_at_work(settings_in(slack, sqlite_url)) as deployment:
        old_failures(deployment)
        otto = slack.person("otto")
        await otto.types(CLEAR, in_="#random")
        note = await otto.sees("/invite", in_="#random")
        assert note.is_ephemeral
        preview = await otto.sees("1 FAILURE", in_="app", ever=True)
        await otto.clicks("Confirm", on=preview)
        await otto.sees_change(preview, "Cleared 1 row")


async def test_a_preview_that_was_deleted_is_answered_by_a_new_message(
    slack: LocalSlack, sqlite_url: str
) -> None:
    async with bot_at_work(settings_in(slack, sqlite_url)) as deployment:
        old_failures(deployment)
        otto = slack.person("otto")
        await otto.types(CLEAR, in_="#ops")
        preview = await otto.sees("1 FAILURE")
        await slack.fails("chat.update", "error", times=9, error="message_not_found")
        await otto.clicks("Confirm", on=preview)
        await otto.sees("Cleared 1 row")


async def test_a_click_in_a_thread_is_answered_in_the_thread(
    slack: LocalSlack, sqlite_url: str, messages: Messages
) -> None:
    async with bot_at_work(settings_in(slack, sqlite_url)):
        otto = slack.person("otto")
        await otto.types("who looks?", in_="#ops")
        top = await otto.sees("who looks?", ever=True)
        place = Place(channel=top.channel, user="U0OTTO000", thread=top.ts)
        await messages.post(place, problem_message(MISUNDERSTOOD))
        asked = await otto.sees("Did you mean", ever=True)
        await otto.clicks("/kb stats --all", on=asked)
        await otto.sees("is not something that stats takes")
        await messages.post(place, problem_message(Misunderstood("?", "?", suggestion="help")))
        asked = await otto.sees("/kb help", ever=True)
        await otto.clicks("/kb help", on=asked)
        reply = await otto.sees("What you can ask")
        assert reply.thread_ts == top.ts


async def test_home_shows_what_each_person_may_do(slack: LocalSlack, sqlite_url: str) -> None:
    async with bot_at_work(settings_in(slack, sqlite_url)):
        vera, otto, gus = (slack.person(name) for name in ("vera", "otto", "gus"))
        await vera.opens_home()
        home = await vera.sees_home("You may look")
        assert "clear" not in home.shown
        await otto.opens_home()
        assert "clear" in (await otto.sees_home("You are an operator")).shown
        await gus.opens_home()
        assert (await gus.sees_home("You may not")).buttons == []
        await vera.clicks("Help", on=home)
        answer = await vera.sees("What you can ask", in_="app", ever=True)
        assert not answer.is_ephemeral


async def test_the_broker_being_away_is_said_in_time_and_the_database_still_answers(
    slack: LocalSlack, sqlite_url: str
) -> None:
    async with bot_at_work(settings_in(slack, sqlite_url)) as deployment:
        old_failures(deployment)
        vera = slack.person("vera")
        await vera.types("/kb active", in_="#ops")
        await vera.sees("does not answer", within=3)
        await vera.types("/kb stats", in_="#ops")
        await vera.sees("1 FAILURE", within=3)


async def test_a_locked_database_is_said_in_time_and_help_still_answers(
    slack: LocalSlack, sqlite_url: str
) -> None:
    async with bot_at_work(settings_in(slack, sqlite_url)) as deployment:
        old_failures(deployment)
        otto = slack.person("otto")
        with writing(deployment.engine):  # somebody holds SQLite's only write lock
            await otto.types(CLEAR, in_="#ops")
            answer = await otto.sees("database", within=6)
            assert answer.is_ephemeral
            await otto.types("/kb help", in_="#ops")
            await otto.sees("What you can ask", within=3)


async def test_an_error_of_our_own_gives_the_person_a_reference_that_the_log_has(
    slack: LocalSlack, sqlite_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    async with bot_at_work(settings_in(slack, sqlite_url)) as deployment:
        old_failures(deployment)
        otto = slack.person("otto")
        await otto.types(CLEAR, in_="#ops")
        preview = await otto.sees("1 FAILURE")
        with writing(deployment.engine) as connection:  # what no code of ours would ever write
            connection.execute(update(CONFIRMATIONS).values(state="bogus"))
        await otto.clicks("Confirm", on=preview)
        answer = await otto.sees("give the people who run the bot this reference")
        reference = answer.text.split("`")[1]
        logged = capsys.readouterr().out
        assert reference in logged
        assert "Traceback" in logged


async def test_a_preview_that_takes_long_is_said_to_come(
    slack: LocalSlack, sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(conversation, "SAY_SO_AFTER", 0.0)
    async with bot_at_work(settings_in(slack, sqlite_url)) as deployment:
        old_failures(deployment)
        otto = slack.person("otto")
        await otto.types(CLEAR, in_="#ops")
        assert (await otto.sees("takes longer than usual")).is_ephemeral
        await otto.sees("Confirm")


async def test_every_kind_of_event_is_acknowledged_at_once(
    slack: LocalSlack, sqlite_url: str
) -> None:
    async with bot_at_work(settings_in(slack, sqlite_url)):
        otto = slack.person("otto")
        for words in ("/kb", "/kb nonsense --x", "/kb stats", "/kb " + "x" * 2900):
            answer = await otto.types(words, in_="#ops")
            assert answer["delivered"]
            assert answer["acked_in_ms"] < 500
            assert answer["shown"] is None


async def test_a_cut_connection_is_made_anew(slack: LocalSlack, sqlite_url: str) -> None:
    async with bot_at_work(settings_in(slack, sqlite_url)):
        await slack.do("disconnect", reason="refresh_requested", close=True)

        async def connected() -> bool:
            return int((await slack.get("state"))["connections"]) >= 1

        await await_until(connected, within=20, what="the bot is back")
        otto = slack.person("otto")
        await otto.types("/kb help", in_="#ops")
        await otto.sees("What you can ask")
