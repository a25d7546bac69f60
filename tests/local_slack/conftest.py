"""A local Slack for each test, and a small real app of slack_bolt to answer in it."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml
from slack_bolt.adapter.socket_mode.async_handler import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from local_slack.options import Options
from tests.people import LocalSlack, local_slack

# The app of these tests: what our own asks for changes with it, and here some scopes have to be missing.
_SCOPES = [
    *("commands", "chat:write", "files:write", "users:read", "usergroups:read"),
    *("channels:read", "groups:read", "im:write"),
]


@pytest.fixture
async def slack(tmp_path: Path) -> AsyncIterator[LocalSlack]:
    """A local Slack with short deadlines and every scope that the tests here need."""
    own = yaml.safe_load(Options.manifest.read_text())
    own["oauth_config"]["scopes"]["bot"] = _SCOPES
    manifest = tmp_path / "manifest.yaml"
    manifest.write_text(yaml.safe_dump(own))
    async with local_slack(
        manifest=manifest, ack_seconds=0.5, event_retries=(0.02, 0.02)
    ) as running:
        yield running


@pytest.fixture
def client(slack: LocalSlack) -> AsyncWebClient:
    """The app's Web API client."""
    return AsyncWebClient(token=slack.bot_token, base_url=slack.api_url)


@pytest.fixture
def app(client: AsyncWebClient, slack: LocalSlack) -> AsyncApp:
    """A Bolt app without listeners."""
    logging.getLogger("slack_bolt").setLevel(logging.CRITICAL)
    return AsyncApp(client=client, signing_secret=slack.signing_secret)


@asynccontextmanager
async def connected(app: AsyncApp, slack: LocalSlack, *, times: int = 1) -> AsyncIterator[None]:
    """The app over Socket Mode, on so many connections."""
    handlers: list[Any] = [AsyncSocketModeHandler(app, slack.app_token) for _ in range(times)]
    try:
        for handler in handlers:
            await handler.connect_async()
        await slack.app_connects(connections=times)
        yield
    finally:
        for handler in handlers:
            await handler.close_async()
