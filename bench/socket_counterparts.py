"""Programs beside the bot in Socket Mode: `python -m bench.socket_counterparts NAME API_URL`, tokens as the bot's.

`bare` acknowledges each envelope and does nothing else, which is the floor; `bolt` is Bolt's own handler with a
listener for the command, as its documentation starts it.
"""

import asyncio
import json
import os
import sys

import aiohttp
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_bolt.context.ack.async_ack import AsyncAck
from slack_sdk.web.async_client import AsyncWebClient


async def bare(api: str, token: str) -> None:
    """Acknowledge for ever."""
    async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {token}"}) as session:
        async with session.post(f"{api}apps.connections.open") as answer:
            address = (await answer.json())["url"]
        async with session.ws_connect(address) as socket:
            async for message in socket:
                envelope = json.loads(message.data)
                if "envelope_id" in envelope:
                    await socket.send_json({"envelope_id": envelope["envelope_id"]})


async def bolt(api: str, token: str) -> None:
    """Let Bolt acknowledge for ever."""
    client = AsyncWebClient(token=os.environ["SLACK_BOT_TOKEN"], base_url=api)
    client.proxy = None  # this Slack is on this very machine
    app = AsyncApp(client=client)

    async def listen(ack: AsyncAck) -> None:
        await ack()

    app.command("/kb")(listen)
    handler = AsyncSocketModeHandler(app, token, web_client=client)
    handler.client.proxy = None
    await handler.start_async()  # type: ignore[no-untyped-call]


if __name__ == "__main__":
    asyncio.run(
        {"bare": bare, "bolt": bolt}[sys.argv[1]](sys.argv[2], os.environ["SLACK_APP_TOKEN"])
    )
