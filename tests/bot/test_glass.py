"""Who breaks the glass is told of, whatever becomes of Slack or the bot: never lost, and repeats say that they are."""

import contextlib
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace
from sqlalchemy import update

from bot.blocks.alert import REPEAT
from bot.desk import Desk
from bot.files import Files
from bot.glass import GlassAlarms
from bot.messages import Messages
from bot.people import People
from bot.scopes import Scopes
from bot.seen import Seen
from bot.slack_api import SlackApi
from bot.slack_client import open_client
from bot.threads import Threads
from knowledge_base_agent.celery_app import make_app
from knowledge_base_agent.clock import utc_now
from knowledge_base_agent.deployment import Deployment, open_deployment
from knowledge_base_agent.glass import TELLING_TAKES, Told
from knowledge_base_agent.operations.stated import Stated
from knowledge_base_agent.records.database import writing
from knowledge_base_agent.records.road_tables import GLASS_ALARMS
from knowledge_base_agent.requests import Pending
from knowledge_base_agent.runner import Runner
from tests.bot.at_work import settings_in
from tests.people import LocalSlack, Message, local_slack
from tests.road.conftest import OTTO, asked
from tests.road.ledger import ALL, WRITE
from tests.waiting import await_until


@pytest.fixture
async def slack() -> "LocalSlack":  # type: ignore[misc]
    """A local Slack of this test's own."""
    async with local_slack() as found:
        yield found


@pytest.fixture
def deployment(slack: LocalSlack, sqlite_url: str) -> Iterator[Deployment]:
    """A deployment that nobody runs, with an alert channel."""
    settings = settings_in(
        slack, sqlite_url, alert_channel="C0KBALERT", operators=("UOTTO",), admins=("UADA",)
    )
    with make_app(settings) as app, contextlib.closing(open_deployment(settings, app)) as opened:
        yield opened


def bot(slack: LocalSlack, deployment: Deployment) -> GlassAlarms:
    """One bot's share in the telling."""
    api = SlackApi(open_client(slack.api_url, slack.bot_token, slack.session), Scopes())
    runner = Runner(deployment, ALL)
    desk = Desk(
        settings=deployment.settings,
        runner=runner,
        messages=Messages(api, slack.session, slack.api_url, None),
        files=Files(api, slack.session, None),
        people=People(api, deployment.settings, {}),
        seen=Seen(runner, Threads(1, "test")),
        started_at=utc_now(),
        nudge_audit=lambda: None,
    )
    return GlassAlarms(desk)


def breaks_the_glass(deployment: Deployment, tmp_path: Path) -> Pending:
    request = replace(asked(WRITE, tmp_path / "grave"), stated=Stated(break_glass="nobody answers"))
    pending = Runner(deployment, ALL).ask(request)
    assert isinstance(pending, Pending)
    return pending


def its_time_is_over(deployment: Deployment) -> None:
    """Let whoever began to tell have begun longer ago than any telling takes."""
    with writing(deployment.engine) as connection:
        long_ago = utc_now() - TELLING_TAKES - timedelta(seconds=1)
        mine = update(GLASS_ALARMS).where(GLASS_ALARMS.c.telling_since.is_not(None))
        connection.execute(mine.values(telling_since=long_ago))


async def posted(slack: LocalSlack) -> list[Message]:
    return await slack.person("otto").looks(in_="#kb-alerts")


@pytest.mark.parametrize("how", ["429", "error"])
async def test_what_slack_surely_did_not_take_is_told_later_and_once(
    slack: LocalSlack, deployment: Deployment, tmp_path: Path, how: str
) -> None:
    breaks_the_glass(deployment, tmp_path)
    await slack.fails("chat.postMessage", how, times=2, error="channel_not_found")
    telling = bot(slack, deployment)

    async def told() -> bool:
        await telling.once()
        return bool(await posted(slack))

    await await_until(told, within=30, what="the channel is told")
    await telling.once()
    (alarm,) = await posted(slack)
    assert "breaks the glass" in alarm.shown
    assert REPEAT not in alarm.shown


async def test_a_lost_answer_is_told_again_after_its_time_and_says_so(
    slack: LocalSlack, deployment: Deployment, tmp_path: Path
) -> None:
    breaks_the_glass(deployment, tmp_path)
    await slack.fails("chat.postMessage", "drop_after")
    await bot(slack, deployment).once()
    await bot(slack, deployment).once()
    assert len(await posted(slack)) == 1, "its end is unknown: it may still come"
    its_time_is_over(deployment)
    await bot(slack, deployment).once()
    assert [REPEAT in one.shown for one in await posted(slack)] == [False, True]
    await bot(slack, deployment).once()
    assert len(await posted(slack)) == 2


async def test_an_alarm_of_a_bot_that_died_before_it_told_is_told_by_another(
    slack: LocalSlack, deployment: Deployment, tmp_path: Path
) -> None:
    breaks_the_glass(deployment, tmp_path)
    (claimed,) = Runner(deployment, ALL).alarms_due()
    assert claimed.told is Told.ASKED
    await bot(slack, deployment).once()
    assert await posted(slack) == [], "the other bot is telling it"
    its_time_is_over(deployment)
    await bot(slack, deployment).once()
    (alarm,) = await posted(slack)
    assert REPEAT in alarm.shown


async def test_how_it_ended_is_said_on_the_alarm_by_any_bot_and_anew_where_that_is_gone(
    slack: LocalSlack, deployment: Deployment, tmp_path: Path
) -> None:
    pending = breaks_the_glass(deployment, tmp_path)
    await bot(slack, deployment).once()
    Runner(deployment, ALL).cancel(pending.confirmation_id, OTTO)
    await slack.fails("chat.update", "error", error="message_not_found")
    await bot(slack, deployment).once()
    shown = [one.shown for one in await posted(slack)]
    assert len(shown) == 2
    assert "stopped it; nothing was done" in shown[-1]
