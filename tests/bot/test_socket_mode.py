"""Socket Mode: what was acknowledged is handled, whatever becomes of the connection over which it was."""

import asyncio

import pytest
from aiohttp import ClientWebSocketResponse
from slack_bolt.async_app import AsyncApp
from slack_bolt.context.ack.async_ack import AsyncAck

from bot.errands import Errands
from bot.slack_client import open_client
from bot.socket_mode import SocketMode
from tests.bot.at_work import bot_at_work, settings_in
from tests.bot.test_behind import authorised
from tests.people import LocalSlack
from tests.waiting import await_until


@pytest.fixture
def full(monkeypatch: pytest.MonkeyPatch) -> asyncio.Event:
    """A connection whose buffer is full: the first thing that is sent goes out, and its sender goes on waiting."""
    ours, waits = ClientWebSocketResponse.send_str, asyncio.Event()

    async def send_str(
        self: ClientWebSocketResponse, data: str, compress: int | None = None
    ) -> None:
        await ours(self, data, compress)
        if not waits.is_set():
            waits.set()
            await asyncio.Event().wait()

    monkeypatch.setattr(ClientWebSocketResponse, "send_str", send_str)
    return waits


async def asks_for_help(slack: LocalSlack, full: asyncio.Event) -> None:
    sent = await slack.person("otto").types("/kb help", in_="#ops")
    assert sent["delivered"], "it was acknowledged"
    assert full.is_set()


async def test_what_was_acknowledged_when_the_bot_stops_is_answered(
    slack: LocalSlack, sqlite_url: str, full: asyncio.Event
) -> None:
    async with bot_at_work(settings_in(slack, sqlite_url)):
        await asks_for_help(slack, full)
    await slack.person("otto").sees("What you can ask", ever=True, within=1)


async def test_what_was_acknowledged_when_the_connection_is_replaced_is_handled(
    slack: LocalSlack, full: asyncio.Event
) -> None:
    heard: list[str] = []
    app = AsyncApp(authorize=authorised, request_verification_enabled=False)

    @app.command("/kb")
    async def listen(ack: AsyncAck) -> None:
        heard.append("help")
        await ack()

    errands = Errands()
    client = open_client(slack.api_url, slack.bot_token, slack.session)
    socket = SocketMode(app, errands, client, slack.app_token)
    await socket.connect()
    await asks_for_help(slack, full)
    await socket._client.connect_to_new_endpoint(force=True)
    await await_until(lambda: heard == ["help"], within=3, what="it was handled")
    await socket.close()
    assert await errands.finish(5) == 0
