"""Socket Mode with several connections, refreshes and repeats; HTTP with signatures."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from slack_bolt.async_app import AsyncApp

from local_slack.delivery.http_mode import signature
from tests.local_slack.conftest import connected
from tests.people import LocalSlack
from tests.stand_in import until
from tests.waiting import await_until

BUTTON = {"type": "button", "text": {"type": "plain_text", "text": "Stop it"}, "action_id": "stop"}


@asynccontextmanager
async def over_http(app: web.Application, slack: LocalSlack) -> AsyncIterator[str]:
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}/slack/events"
    try:
        await slack.do("bot_url", url=url)
        yield url
    finally:
        await runner.cleanup()


async def test_each_envelope_goes_to_one_of_several_connections(
    app: AsyncApp, slack: LocalSlack
) -> None:
    texts: list[str] = []

    @app.command("/kb")
    async def heard(ack: Any, command: Any) -> None:
        texts.append(command["text"])
        await ack()

    async with connected(app, slack, times=2):
        otto = slack.person("otto")
        for text in ("one", "two", "three"):
            assert (await otto.types(f"/kb {text}"))["delivered"]
    assert texts == ["one", "two", "three"]


async def test_after_a_refresh_request_the_app_is_back_on_a_new_connection(
    app: AsyncApp, slack: LocalSlack
) -> None:
    @app.command("/kb")
    async def heard(ack: Any) -> None:
        await ack("here again")

    async with connected(app, slack):
        await slack.do("disconnect", reason="refresh_requested")
        otto = slack.person("otto")

        async def answered() -> bool:
            return bool((await otto.types("/kb stats"))["shown"] == "here again")

        await until(answered, within=10, what="the app answers again")
        assert len(await slack.calls("apps.connections.open")) == 2


async def test_a_ticket_opens_one_connection_and_no_second(slack: LocalSlack) -> None:
    headers = {"Authorization": f"Bearer {slack.app_token}"}
    async with slack.session.post(
        f"{slack.api_url}apps.connections.open", headers=headers
    ) as opened:
        url = (await opened.json())["url"]
    async with slack.session.ws_connect(url) as socket:
        hello = await socket.receive_json()
        assert (hello["type"], hello["num_connections"]) == ("hello", 1)
        assert hello["connection_info"] == {"app_id": "A0KBONCALL"}
        with pytest.raises(aiohttp.WSServerHandshakeError):
            await slack.session.ws_connect(url)


async def test_the_last_payload_can_be_delivered_twice(app: AsyncApp, slack: LocalSlack) -> None:
    triggers: list[str] = []

    @app.command("/kb")
    async def heard(ack: Any, command: Any) -> None:
        triggers.append(command["trigger_id"])
        await ack()

    async with connected(app, slack):
        await slack.person("otto").types("/kb clear")
        assert (await slack.do("redeliver_last", kind="slash_commands"))["delivered"]
    assert len(triggers) == 2
    assert triggers[0] == triggers[1]


async def test_an_event_without_acknowledgement_is_repeated_with_its_reason(
    slack: LocalSlack,
) -> None:
    headers = {"Authorization": f"Bearer {slack.app_token}"}
    async with slack.session.post(
        f"{slack.api_url}apps.connections.open", headers=headers
    ) as opened:
        url = (await opened.json())["url"]
    async with slack.session.ws_connect(url) as socket:
        await socket.receive_json()
        opening = asyncio.create_task(slack.person("otto").opens_home())
        first = await socket.receive_json()
        second = await socket.receive_json()
        assert (first["retry_attempt"], second["retry_attempt"], second["retry_reason"]) == (
            0,
            1,
            "timeout",
        )
        assert first["payload"]["event_id"] == second["payload"]["event_id"]
        await socket.send_json({"envelope_id": second["envelope_id"]})
        assert (await opening)["failure"] == "operation_timeout"


async def test_over_http_a_command_a_click_and_an_event_reach_a_bolt_app(
    app: AsyncApp, slack: LocalSlack
) -> None:
    opened: list[str] = []

    @app.command("/kb")
    async def stuck(ack: Any, respond: Any) -> None:
        await ack()
        await respond(text="1 stuck", blocks=[{"type": "actions", "elements": [BUTTON]}])

    @app.action("stop")
    async def stop(ack: Any, respond: Any, body: Any) -> None:
        await ack()
        assert "message" not in body  # of an ephemeral message only the container is told
        await respond(text="stopped", replace_original=True)

    @app.event("app_home_opened")
    async def home(event: Any) -> None:
        opened.append(event["user"])

    async with over_http(app.web_app(path="/slack/events"), slack):
        assert (await slack.do("verify_url"))["verified"]
        otto = slack.person("otto")
        await otto.types("/kb stuck")
        message = await otto.sees("1 stuck")
        await otto.clicks("Stop it", on=message)
        assert (await otto.sees_change(message, "stopped")).buttons == []
        await otto.opens_home()
        await await_until(lambda: opened == ["U0OTTO000"], what="the event arrives")


async def test_over_http_a_forged_or_failing_answer_is_told_to_the_person(
    slack: LocalSlack,
) -> None:
    seen: list[tuple[str, str, bytes]] = []

    async def broken(request: web.Request) -> web.Response:
        headers = request.headers
        seen.append(
            (
                headers["X-Slack-Request-Timestamp"],
                headers["X-Slack-Signature"],
                await request.read(),
            )
        )
        return web.Response(status=500)

    site = web.Application()
    site.router.add_post("/slack/events", broken)
    async with over_http(site, slack):
        answer = await slack.person("otto").types("/kb stats")
    assert answer["shown"] == '/kb failed with the error "http_service_error"'
    timestamp, signed, body = seen[0]
    assert signed == signature(slack.signing_secret, timestamp, body)
    assert b"command=%2Fkb&text=stats" in body
    assert (await slack.person("otto").types("/kb stats"))[
        "shown"
    ] == '/kb failed with the error "dispatch_failed"'
