"""Programs that the bot is measured with and against: `python -m bench.counterparts NAME PORT`.

`slack` answers every method of the Web API with yes; `bare` checks a request's signature and acknowledges it, and does
nothing else, which is the floor; `bolt` is Bolt's own server as its documentation starts it.
"""

import asyncio
import itertools
import sys

from aiohttp import web
from slack_bolt.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.context.ack.async_ack import AsyncAck

from bot.signatures import Signatures

SECRET = "8f742231b10e8888abcd99yyyzzz85a5"
TEAM, OTTO, OPS = "T0ACME000", "U0OTTO000", "C0OPS0000"
PATH = "/slack/events"


class _Posts:
    """What was posted, and whoever waits for more of it."""

    def __init__(self) -> None:
        self._count = 0
        self._newest = ""
        self._more = asyncio.Event()

    def add(self, body: str) -> None:
        """Take one more."""
        self._count += 1
        self._newest = body
        self._more.set()

    async def count(self, _: web.Request) -> web.Response:
        """Answer how many there are."""
        return web.json_response(self._count)

    async def reach(self, request: web.Request) -> web.Response:
        """Answer once there are so many."""
        while self._count < int(request.match_info["many"]):
            self._more.clear()
            await self._more.wait()
        return web.json_response(self._count)

    async def newest(self, _: web.Request) -> web.Response:
        """Answer with the last one."""
        return web.Response(text=self._newest)


def slack() -> web.Application:
    """Return a Slack in which every call succeeds, as fast as can be."""
    person = {"id": OTTO, "name": "otto", "team_id": TEAM, "profile": {"display_name": "otto"}}
    numbers = itertools.count()
    posts = _Posts()

    async def answer(request: web.Request) -> web.Response:
        method = request.match_info["method"]
        body = await request.text()
        said: dict[str, object] = {"ok": True, "team_id": TEAM, "user_id": "U0BOT0000"}
        said |= {"bot_id": "B0BOT0000", "team": "Acme", "user": "kb", "users": [OTTO]}
        if method == "users.info":
            said["user"] = person
        elif method == "conversations.info":
            said["channel"] = {"id": OPS, "is_channel": True, "is_member": True, "is_shared": False}
        else:
            if method in ("chat.postMessage", "chat.postEphemeral"):
                posts.add(body)
            said |= {"channel": OPS, "ts": f"1795000000.{next(numbers):06d}"}
        return web.json_response(said)

    app = web.Application(client_max_size=10_000_000)
    # By GET too: the SDK asks so for what it only reads.
    app.add_routes([web.route("*", "/api/{method}", answer), web.get("/posted", posts.count)])
    app.add_routes([web.get("/posted/{many}", posts.reach), web.get("/newest", posts.newest)])
    return app


def bare() -> web.Application:
    """Return what no server on aiohttp can be faster than."""
    signatures = Signatures(SECRET)

    async def take(request: web.Request) -> web.Response:
        body = await request.read()
        stamp = request.headers["X-Slack-Request-Timestamp"]
        if not signatures.accept(body, stamp, request.headers["X-Slack-Signature"]):
            return web.Response(status=401)
        return web.Response(status=200)

    app = web.Application()
    app.add_routes([web.post(PATH, take)])
    return app


def bolt() -> web.Application:
    """Return Bolt's own server with one command."""

    async def authorize(enterprise_id: str | None, team_id: str | None) -> AuthorizeResult:
        return AuthorizeResult(
            enterprise_id=None, team_id=TEAM, bot_token="xoxb-1", bot_id="B0", bot_user_id="U0"
        )

    app = AsyncApp(signing_secret=SECRET, authorize=authorize)

    async def listen(ack: AsyncAck) -> None:
        await ack()

    app.command("/kb")(listen)
    return app.server(path=PATH).web_app


async def _serve(name: str, port: int) -> None:
    app = {"slack": slack, "bare": bare, "bolt": bolt}[name]()
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(_serve(sys.argv[1], int(sys.argv[2])))
