"""What the page reads and hears, and how the process starts and stops."""

import asyncio
import signal
import sys
from asyncio.subprocess import PIPE
from pathlib import Path

from slack_sdk.web.async_client import AsyncWebClient

from tests.people import LocalSlack, local_slack

ROOT = Path(__file__).parents[2]


async def test_the_page_state_is_what_this_person_sees(
    client: AsyncWebClient, slack: LocalSlack
) -> None:
    await client.chat_postMessage(channel="#ops", text="for all")
    await client.chat_postEphemeral(channel="#ops", user="U0VERA000", text="for Vera")
    seen = {}
    for name in ("vera", "otto", "gus"):
        async with slack.session.get(
            f"{slack.base_url}/page/state", params={"user": name}
        ) as response:
            state = await response.json()
        assert state["me"]["name"] == name
        seen[name] = {channel["name"]: channel for channel in state["channels"]}
    assert [message["text"] for message in seen["vera"]["ops"]["messages"]] == [
        "for all",
        "for Vera",
    ]
    assert [message["text"] for message in seen["otto"]["ops"]["messages"]] == ["for all"]
    assert set(seen["gus"]) == {"ops", "KB On-call"}
    assert not seen["otto"]["random"]["app_is_member"]
    assert "leads" not in seen["otto"]
    assert state["commands"][0]["command"] == "/kb"
    assert {"stats", "stuck", "clear", "revoke"} <= set(state["completions"])


async def test_the_feed_tells_each_page_what_changes_for_its_person(
    client: AsyncWebClient, slack: LocalSlack
) -> None:
    feed = slack.base_url.replace("http", "ws") + "/page/feed?user="
    async with (
        slack.session.ws_connect(feed + "otto") as otto,
        slack.session.ws_connect(feed + "gus") as gus,
    ):
        assert await otto.receive_json() == {"type": "connection", "app_connected": False}
        await gus.receive_json()
        await client.chat_postMessage(channel="#kb-audit", text="not for guests")
        posted = await client.chat_postMessage(channel="#ops", text="one")
        await client.chat_postEphemeral(channel="#ops", user="U0OTTO000", text="two")
        await client.chat_update(channel=posted["channel"], ts=posted["ts"], text="three")
        await client.chat_delete(channel=posted["channel"], ts=posted["ts"])
        await slack.person("otto").types("/kb stats")
        heard = [await otto.receive_json() for _ in range(6)]
        kinds = ["message", "message", "ephemeral", "message_changed", "message_deleted", "notice"]
        assert [event["type"] for event in heard] == kinds
        assert heard[3]["message"]["text"] == "three"
        assert heard[5]["text"] == '/kb failed with the error "dispatch_failed"'
        heard_by_guest = [await gus.receive_json() for _ in range(3)]
        assert [event["type"] for event in heard_by_guest] == [
            "message",
            "message_changed",
            "message_deleted",
        ]


async def test_the_page_itself_is_served(slack: LocalSlack) -> None:
    async with slack.session.get(f"{slack.base_url}/") as response:
        assert response.status == 200
        assert response.content_type == "text/html"


async def test_it_forgets_everything_on_request(client: AsyncWebClient, slack: LocalSlack) -> None:
    await client.chat_postMessage(channel="#ops", text="old")
    await slack.do("person", user="otto", deleted=True)
    await slack.do("reset")
    assert await slack.person("otto").looks(in_="#ops") == []
    assert not (await client.users_info(user="U0OTTO000"))["user"]["deleted"]


async def test_the_process_says_where_it_listens_and_stops_cleanly_on_sigterm() -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "local_slack",
        "--bot-token",
        "xoxb-other",
        cwd=ROOT,
        stdout=PIPE,
        stderr=PIPE,
    )
    assert process.stdout is not None
    line = (await asyncio.wait_for(process.stdout.readline(), 20)).decode()
    assert line.startswith("local slack listening on http://127.0.0.1:")
    url = line.split()[-1]
    async with local_slack(url) as slack:
        assert slack.bot_token == "xoxb-other"
        page = slack.base_url.replace("http", "ws") + "/page/feed?user=otto"
        async with slack.session.ws_connect(page) as feed:
            await feed.receive_json()
            process.send_signal(signal.SIGTERM)
            assert await asyncio.wait_for(process.wait(), 5) == 0
            assert process.stderr is not None
            assert await process.stderr.read() == b""


async def test_a_port_in_use_is_one_clear_sentence(slack: LocalSlack) -> None:
    port = slack.base_url.rpartition(":")[2]
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "local_slack", "--port", port, cwd=ROOT, stdout=PIPE, stderr=PIPE
    )
    _, told = await process.communicate()
    assert process.returncode == 2
    assert told.decode().startswith(f"local slack can't listen on 127.0.0.1:{port}:")
    assert told.count(b"\n") == 1
