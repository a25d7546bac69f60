"""HTTP: Slack's requests on /slack/events, and /healthz and /readyz for whoever watches the bot.

A request is acknowledged as soon as its signature is found good, before anything else happens to it: Slack gives three
seconds, and neither the database nor Bolt may take from them. Only what Slack wants an answer to is read first.
"""

import asyncio
import errno
import socket
from collections.abc import Awaitable, Callable, Sequence

import structlog
from aiohttp import web
from slack_bolt.async_app import AsyncApp
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_bolt.response import BoltResponse

from bot.errands import Errands, Urgency
from bot.signatures import Signatures

log = structlog.get_logger()
Ready = Callable[[], Awaitable[str]]
"""Returns why the bot is not ready, or an empty text."""
FirstTime = Callable[[str], Awaitable[bool]]
"""Tells whether this is seen for the first time, by any bot on the same database."""
_BODY_LIMIT = 1_000_000
BODY_WITHIN = 5.0
"""Seconds for a body to arrive whole; Slack gives up after three."""
_ANSWERED = (b"view_", b"url_verification")
"""What is in a request whose answer Slack reads: a form that was sent off, and the question whether we are there.

Where somebody merely typed these words, the answer comes as well, only a little later.
"""
IDLE_SECONDS = 20.0
"""Seconds that a connection may send nothing, or only a part of its headers."""


def health_routes(ready: Ready) -> list[web.RouteDef]:
    """Return the routes that tell whether the process lives, and whether it can answer."""

    async def healthz(_: web.Request) -> web.Response:
        return web.json_response({"ok": True})

    async def readyz(_: web.Request) -> web.Response:
        why_not = await ready()
        return web.json_response(
            {"ok": not why_not, "why_not": why_not}, status=503 if why_not else 200
        )

    return [web.get("/healthz", healthz), web.get("/readyz", readyz)]


class Endpoint:
    """The address that Slack posts to. Until it is opened, Slack is told to come again."""

    def __init__(self, secret: str) -> None:
        self._signatures = Signatures(secret)
        self._app: AsyncApp | None = None
        self._first_time: FirstTime | None = None
        self._errands = Errands()

    @property
    def is_open(self) -> bool:
        """Whether requests are taken."""
        return self._app is not None

    def open(self, app: AsyncApp, first_time: FirstTime, errands: Errands) -> None:
        """Take requests from now on; what happens to them after they were acknowledged is among the `errands`."""
        self._app, self._first_time, self._errands = app, first_time, errands

    def close(self) -> None:
        """Take no more requests."""
        self._app = None

    def routes(self) -> list[web.RouteDef]:
        """Return the route."""
        return [web.post("/slack/events", self._take)]

    async def _take(self, request: web.Request) -> web.Response:
        try:
            async with asyncio.timeout(BODY_WITHIN):
                body = await request.read()
        except TimeoutError:
            return web.Response(status=408, text="too slow")
        # Asked when it is there as a whole: the bot may have begun to stop meanwhile, and would drop it.
        if self._app is None or self._first_time is None:
            return web.Response(status=503, text="not listening")
        timestamp = request.headers.get("X-Slack-Request-Timestamp", "")
        signature = request.headers.get("X-Slack-Signature", "")
        if not self._signatures.accept(body, timestamp, signature):
            log.warning("a request was not signed by Slack, or came twice", remote=request.remote)
            return web.Response(status=401, text="invalid signature")
        if any(mark in body for mark in _ANSWERED):
            answer = _once(self._first_time, signature, self._app, body, request)
            return await self._errands.along(answer)  # what it begins must not come after the end
        # Whether another bot took it is asked when it is known what it is: the same body is the same event.
        self._errands.start(_unanswered(self._app, body, request), Urgency.UNREAD)
        return web.Response(status=200)


async def _once(
    first_time: FirstTime, signature: str, app: AsyncApp, body: bytes, request: web.Request
) -> web.Response:
    if not await first_time(f"signature:{signature}"):
        log.warning("a request came that another bot has taken", remote=request.remote)
        return web.Response(status=401, text="invalid signature")
    return await _dispatched(app, body, request)


async def _unanswered(app: AsyncApp, body: bytes, request: web.Request) -> None:
    # Raises nothing: whatever goes wrong has been logged, and Slack has its acknowledgement.
    await _dispatched(app, body, request)


async def _dispatched(app: AsyncApp, body: bytes, request: web.Request) -> web.Response:
    headers: dict[str, str | Sequence[str]] = {
        name.lower(): value for name, value in request.headers.items()
    }
    try:
        answer: BoltResponse = await app.async_dispatch(
            AsyncBoltRequest(body=body.decode(), query=request.query_string, headers=headers)
        )
    except Exception:
        # Signed by Slack, and yet not readable for us: acknowledged, so that Slack does not send it again.
        log.exception("a request could not be read")
        return web.Response(status=200)
    if answer.status != 200:  # nobody listens to this kind; Slack still wants its 200
        return web.Response(status=200)
    kind = answer.headers.get("content-type", ["text/plain"])[0].partition(";")[0]
    return web.Response(status=200, text=answer.body or "", content_type=kind)


def listening(port: int) -> socket.socket:
    """Return one socket for all addresses, IPv6 and IPv4 alike. Raises `OSError`, as when the port is taken.

    One and not one for each family: for port 0 those would be given different ports.
    """
    if socket.has_dualstack_ipv6():
        try:
            return socket.create_server(("", port), family=socket.AF_INET6, dualstack_ipv6=True)
        except OSError as failure:
            if (
                failure.errno != errno.EADDRNOTAVAIL
            ):  # which is how a system with IPv6 turned off answers
                raise
    return socket.create_server(("", port))


class Served:
    """A running HTTP server."""

    def __init__(self, routes: list[web.RouteDef], *, idle_seconds: float = IDLE_SECONDS) -> None:
        app = web.Application(client_max_size=_BODY_LIMIT)
        app.add_routes(routes)
        self._runner = web.AppRunner(app, access_log=None, keepalive_timeout=idle_seconds)

    async def start(self, port: int) -> int:
        """Listen on all addresses; return the port (for port 0, the one that was free). Raises `OSError`."""
        await self._runner.setup()
        await web.SockSite(self._runner, listening(port)).start()
        return int(self._runner.addresses[0][1])

    async def close(self) -> None:
        """Take no more requests."""
        await self._runner.cleanup()
