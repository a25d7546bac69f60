"""A Slack for each test of the bot's parts."""

from collections.abc import AsyncIterator

import aiohttp
import pytest

from bot.messages import Messages
from bot.scopes import Scopes
from bot.slack_api import SlackApi
from bot.slack_client import open_client
from tests.people import LocalSlack, local_slack


@pytest.fixture
async def slack() -> AsyncIterator[LocalSlack]:
    """A local Slack of this test's own."""
    async with local_slack() as found:
        yield found


@pytest.fixture
async def api(slack: LocalSlack) -> SlackApi:
    """The bot's Web API in that Slack."""
    return SlackApi(open_client(slack.api_url, slack.bot_token, slack.session), Scopes())


@pytest.fixture
async def messages(slack: LocalSlack, api: SlackApi) -> Messages:
    """What sends messages there."""
    return Messages(api, slack.session, slack.api_url, None)


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    """For requests of a test's own."""
    async with aiohttp.ClientSession() as found:
        yield found
