"""A local Slack for tests: started on a thread, and asked over its control API."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from threading import Thread
from typing import Any, Self, TypeVar

import aiohttp

from local_slack.options import Options
from local_slack.server import Server
from tests.seen import Json
from tests.waiting import await_until

T = TypeVar("T")


async def until(look: Callable[[], Awaitable[T | None]], *, within: float, what: str = "") -> T:
    """Wait until `look` finds something."""
    found: Any = await await_until(look, within=within, what=what)
    value: T = found
    return value


@contextmanager
def slack_server(**options: Any) -> Iterator[str]:
    """Run a local Slack on a thread and a loop of its own, so that a test that blocks does not stop it."""
    loop = asyncio.new_event_loop()
    thread = Thread(target=loop.run_forever, name="local slack", daemon=True)
    thread.start()
    server = Server(Options(**options))
    try:
        yield asyncio.run_coroutine_threadsafe(server.start(), loop).result(10)
    finally:
        asyncio.run_coroutine_threadsafe(server.stop(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()


class StandIn:
    """A running local Slack, seen from a test."""

    def __init__(self, base_url: str, session: aiohttp.ClientSession) -> None:
        self.base_url = base_url
        self.session = session
        self.bot_token = self.app_token = self.signing_secret = self.bot_user_id = ""

    @property
    def api_url(self) -> str:
        """What SLACK_API_URL has to be for an app."""
        return f"{self.base_url}/api/"

    async def look_around(self) -> Self:
        """Learn the tokens."""
        state = await self.get("state")
        self.bot_token, self.app_token = state["bot_token"], state["app_token"]
        self.signing_secret, self.bot_user_id = state["signing_secret"], state["bot_user_id"]
        return self

    async def get(self, look: str, **query: str) -> Json:
        """GET /control/…; fails with the server's sentence."""
        async with self.session.get(f"{self.base_url}/control/{look}", params=query) as response:
            answer: Json = await response.json()
        assert response.status == 200, answer
        return answer

    async def do(self, deed: str, **asked: Any) -> Json:
        """POST /control/…; fails with the server's sentence."""
        async with self.session.post(f"{self.base_url}/control/{deed}", json=asked) as response:
            answer: Json = await response.json()
        assert response.status == 200, answer["error"]
        return answer

    async def app_connects(self, *, connections: int = 1, within: float = 10.0) -> None:
        """Wait until the app has so many Socket Mode connections."""

        async def there() -> bool:
            return int((await self.get("state"))["connections"]) >= connections

        await until(there, within=within, what="the app connects")

    async def fails(self, method: str, how: str, times: int = 1, **more: Any) -> None:
        """Make the next calls of a method fail: how is 429, 500, hang, drop, drop_after or error."""
        await self.do("fail", method=method, how=how, times=times, **more)

    async def calls(self, method: str | None = None) -> list[Json]:
        """What the app called: method, args, at (Unix seconds), answer."""
        query = {"method": method} if method else {}
        listed: list[Json] = (await self.get("requests", **query))["requests"]
        return listed
