"""More is asked than can be done: all is acknowledged, what is confirmed goes first, and the rest hears how it is."""

import asyncio
import time
from urllib.parse import urlencode

import aiohttp
import pytest
from slack_bolt.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.context.ack.async_ack import AsyncAck

from bot import desk, errands
from bot.errands import Errands
from bot.http_mode import Endpoint, Served, health_routes
from local_slack.delivery.http_mode import signature
from tests.bot.at_work import bot_at_work, old_failures, recorded, settings_in
from tests.people import LocalSlack
from tests.waiting import await_until

SECRET = "8f742231b10e8888abcd99yyyzzz85a5"
CLEAR = "/kb clear --older-than 24 --status FAILURE"
MANY = 300


async def authorised(enterprise_id: str | None, team_id: str | None) -> AuthorizeResult:
    return AuthorizeResult(
        enterprise_id=None, team_id="T1", bot_token="xoxb-1", bot_id="B1", bot_user_id="U0"
    )


class Stuck:
    """A bot over HTTP whose every work waits until it is told to go on."""

    def __init__(self) -> None:
        self.errands = Errands()
        self.go_on = asyncio.Event()
        self.done = 0
        self._served: Served | None = None

    async def __aenter__(self) -> str:
        """Listen; return the address."""
        app = AsyncApp(
            authorize=authorised,
            request_verification_enabled=False,
            process_before_response=True,
        )

        @app.command("/kb")
        async def listen(ack: AsyncAck) -> None:
            await ack()
            self.errands.start(self._work())

        endpoint = Endpoint(SECRET)
        endpoint.open(app, self._first_time, self.errands)
        self._served = Served(endpoint.routes() + health_routes(self._ready))
        return f"http://127.0.0.1:{await self._served.start(0)}"

    async def __aexit__(self, *_: object) -> None:
        self.go_on.set()
        await self.errands.finish(20)
        if self._served is not None:
            await self._served.close()

    async def _work(self) -> None:
        await self.go_on.wait()
        self.done += 1

    async def _first_time(self, _: str) -> bool:
        return True

    async def _ready(self) -> str:
        return ""


async def acknowledged(session: aiohttp.ClientSession, url: str, number: int) -> bool:
    fields = {"command": "/kb", "text": "stats", "user_id": "U1", "trigger_id": f"1.{number}"}
    body, stamp = urlencode(fields).encode(), str(int(time.time()))
    headers = {
        "X-Slack-Request-Timestamp": stamp,
        "X-Slack-Signature": signature(SECRET, stamp, body),
        "Content-Type": "application/x-www-form-urlencoded",
    }
    async with session.post(f"{url}/slack/events", data=body, headers=headers) as answer:
        return answer.status == 200


async def test_acknowledgements_and_health_wait_for_no_work_however_much_of_it_stands_still(
    session: aiohttp.ClientSession,
) -> None:
    stuck = Stuck()
    async with stuck as url:
        assert all([await acknowledged(session, url, number) for number in range(MANY)])
        await await_until(lambda: len(stuck.errands) >= MANY, what="all of it has begun")
        assert await acknowledged(session, url, MANY)
        async with session.get(f"{url}/healthz") as answer:
            assert answer.status == 200
        assert stuck.done == 0
    assert stuck.done == MANY + 1


async def test_who_waits_for_too_long_hears_that_nothing_was_done_and_a_click_on_confirm_works(
    slack: LocalSlack, sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with bot_at_work(settings_in(slack, sqlite_url)) as deployment:
        old_failures(deployment)
        otto = slack.person("otto")
        await otto.types(CLEAR, in_="#ops")
        preview = await otto.sees("1 FAILURE")
        for module in (desk, errands):
            monkeypatch.setattr(module, "BEHIND_SECONDS", -1.0)
        await otto.types("/kb run https://example.com", in_="#ops")
        told = await otto.sees("nothing of it was done")
        assert told.is_ephemeral
        assert "Ask again in a few seconds" in told.shown
        await await_until(
            lambda: any("no turn" in detail for *_, detail in recorded(deployment)),
            what="it is recorded",
        )
        await otto.clicks("Confirm", on=preview)
        await otto.sees_change(preview, "Cleared 1 row")
        kinds = [(kind, operation) for kind, operation, *_ in recorded(deployment)]
        assert ("started", "clear") in kinds
        assert ("started", "run") not in kinds
