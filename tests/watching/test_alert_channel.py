"""The alert channel follows the rows, however Slack behaves: in order, nothing lost, nothing doubled unsaid."""

import contextlib
from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import update

from bot import alerts as bot_alerts
from bot.alerts import Alerts
from bot.blocks.alert import REPEAT
from bot.messages import Messages
from bot.scopes import Scopes
from bot.slack_api import SlackApi
from bot.slack_client import open_client
from bot.threads import Threads
from knowledge_base_agent.celery_app import make_app
from knowledge_base_agent.clock import utc_now
from knowledge_base_agent.deployment import Deployment, open_deployment
from knowledge_base_agent.records.alerts import (
    Alert,
    Opening,
    acknowledge,
    open_alert,
    resolve,
    snooze,
    unresolved,
    wake,
)
from knowledge_base_agent.records.alerts_outbox import POST_TAKES, claim_post, undelivered
from knowledge_base_agent.records.alerts_tables import ALERTS
from knowledge_base_agent.records.database import writing
from knowledge_base_agent.runner import Runner
from tests.bot.at_work import settings_in
from tests.people import LocalSlack, Message, local_slack
from tests.waiting import await_until


@pytest.fixture
async def slack() -> "LocalSlack":  # type: ignore[misc]
    """A local Slack of this test's own."""
    async with local_slack() as found:
        yield found


@pytest.fixture
def deployment(slack: LocalSlack, sqlite_url: str) -> Iterator[Deployment]:
    """A deployment that nobody runs, with an alert channel."""
    settings = settings_in(slack, sqlite_url, alert_channel="C0KBALERT")
    with make_app(settings) as app, contextlib.closing(open_deployment(settings, app)) as opened:
        yield opened


@pytest.fixture
def bot(slack: LocalSlack, deployment: Deployment) -> Alerts:
    """One bot's share in the watching."""
    api = SlackApi(open_client(slack.api_url, slack.bot_token, slack.session), Scopes())
    messages = Messages(api, slack.session, slack.api_url, None)
    return Alerts(messages, Runner(deployment), deployment, Threads(4, "test"))


def happened(deployment: Deployment, *subjects: str) -> None:
    with writing(deployment.engine) as connection:
        for one in subjects:
            opening = Opening(
                key=f"queue-deep:{one}", kind="queue-deep", subject=one, severity="warning",
                title="A queue grows", sentence=f"12 wait in <{one}>.", figures={}, actions=(),
            )  # fmt: skip
            open_alert(connection, opening, utc_now())


def first(deployment: Deployment) -> Alert:
    with writing(deployment.engine) as connection:
        return unresolved(connection)[0]


async def posted(slack: LocalSlack) -> list[Message]:
    return await slack.person("otto").looks(in_="#kb-alerts")


async def delivered(bot: Alerts, deployment: Deployment) -> None:
    """Deliver again and again, as the bot does, until the channel is up to date."""

    async def done() -> bool:
        await bot.deliver()
        return undelivered(deployment.engine) == ()

    await await_until(done, within=15, what="the channel is up to date")


async def test_one_message_a_trouble_follows_it_to_its_end(
    slack: LocalSlack, deployment: Deployment, bot: Alerts
) -> None:
    happened(deployment, "a", "b")
    await delivered(bot, deployment)
    await delivered(bot, deployment)
    assert ["<a>" in one.shown for one in await posted(slack)] == [True, False]
    with writing(deployment.engine) as connection:
        acknowledge(connection, unresolved(connection)[0], "otto", "otto", utc_now())
    await delivered(bot, deployment)
    assert "acknowledged by otto" in (await posted(slack))[0].shown
    with writing(deployment.engine) as connection:
        resolve(connection, unresolved(connection)[0], utc_now(), "The queue is short again.")
    await delivered(bot, deployment)
    shown = await posted(slack)
    assert "Resolved" in shown[0].shown
    assert len(shown) == 2


@pytest.mark.parametrize("how", ["429", "500"])
async def test_what_slack_does_not_take_now_comes_later(
    slack: LocalSlack,
    deployment: Deployment,
    bot: Alerts,
    how: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("knowledge_base_agent.records.alerts_outbox.POST_TAKES", timedelta())
    happened(deployment, "a", "b")
    await slack.fails("chat.postMessage", how, times=2)
    await delivered(bot, deployment)
    shown = await posted(slack)
    assert ["<a>" in one.shown for one in shown] == [True, False]
    # A 5xx may have been a success that got lost on the way; a 429 surely was none.
    assert (REPEAT in shown[0].shown) == (how == "500")


async def test_a_lost_answer_is_not_posted_again_at_once_and_then_says_so(
    slack: LocalSlack, deployment: Deployment, bot: Alerts, monkeypatch: pytest.MonkeyPatch
) -> None:
    happened(deployment, "a")
    await slack.fails("chat.postMessage", "drop_after")
    await bot.deliver()
    bot._not_before = 0.0
    await bot.deliver()
    assert len(await posted(slack)) == 1, "its end is unknown: it may still come"
    monkeypatch.setattr("knowledge_base_agent.records.alerts_outbox.POST_TAKES", timedelta())
    await delivered(bot, deployment)
    assert [REPEAT in one.shown for one in await posted(slack)] == [False, True]


async def test_two_bots_that_both_believe_to_watch_post_once(
    slack: LocalSlack, deployment: Deployment, bot: Alerts
) -> None:
    happened(deployment, "a")
    assert claim_post(deployment.engine, first(deployment))
    await bot.deliver()
    assert await posted(slack) == [], "the other bot is posting it"
    long_ago = utc_now() - POST_TAKES - timedelta(seconds=1)
    with writing(deployment.engine) as connection:
        connection.execute(update(ALERTS).values(posting_since=long_ago))
    await delivered(bot, deployment)
    assert REPEAT in (await posted(slack))[0].shown, "the other bot died in the middle of it"


async def test_a_snooze_that_ends_says_so_in_the_thread(
    slack: LocalSlack, deployment: Deployment, bot: Alerts
) -> None:
    happened(deployment, "a")
    await delivered(bot, deployment)
    with writing(deployment.engine) as connection:
        snooze(connection, unresolved(connection)[0], "otto", utc_now())
        wake(connection, unresolved(connection)[0], utc_now())
    await delivered(bot, deployment)
    message, reply = await posted(slack)
    assert reply.thread_ts == message.ts
    assert "The snooze is over" in reply.shown


async def test_without_a_channel_nothing_is_posted_and_nothing_breaks(
    slack: LocalSlack, deployment: Deployment, bot: Alerts
) -> None:
    happened(deployment, "a")
    bot._channel = ""
    await bot.deliver()
    assert await posted(slack) == []
    assert bot_alerts.EVERY_SECONDS >= 1
