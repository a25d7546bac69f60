"""Puts the routes together, and runs them."""

import json
from pathlib import Path
from typing import Any

from aiohttp import web

from local_slack import response_url
from local_slack.control import deeds, looks, page
from local_slack.control.neighbours import only_this_page
from local_slack.errors import NotPossible
from local_slack.options import Options
from local_slack.shapes import Json
from local_slack.slack import Slack
from local_slack.web import endpoint, files

_PAGE = Path(__file__).parent / "page"
_KEY = web.AppKey("slack", Slack)


def application(slack: Slack) -> web.Application:
    """All routes. The Web API, Socket Mode and response URLs are Slack's; /control and /page are ours."""
    app = web.Application(client_max_size=60_000_000, middlewares=[only_this_page])
    app[_KEY] = slack
    app.add_routes(
        [
            web.route("*", "/api/{method}", _api),
            web.get("/link/", slack.courier.sockets.link),
            web.post("/commands/{team}/{number}/{secret}", _response_url),
            web.post("/actions/{team}/{number}/{secret}", _response_url),
            web.post("/upload/v1/{key}", _upload),
            web.get("/files/{id}", _download),
            web.get("/control/{look}", _look),
            web.post("/control/{deed}", _deed),
            web.get("/page/state", _page_state),
            web.get("/page/completions", _page_completions),
            web.get("/page/feed", _page_feed),
            web.get("/", _index),
            web.get("/index.html", _index),
            web.get("/archives/{channel}/{ts}", _index),
        ]
    )
    if _PAGE.is_dir():
        app.router.add_static("/page", _PAGE)
    app.on_shutdown.append(_close)
    return app


class Server:
    """One local Slack that listens; `base_url` is known after `start`."""

    def __init__(self, options: Options) -> None:
        self.slack = Slack(options)
        self._options = options
        self._runner = web.AppRunner(application(self.slack), access_log=None, shutdown_timeout=1.0)

    async def start(self) -> str:
        """Listen, and return the base URL; `OSError` if the port is taken."""
        await self._runner.setup()
        site = web.TCPSite(self._runner, self._options.host, self._options.port)
        await site.start()
        port = self._runner.addresses[0][1]
        self.slack.base_url = f"http://{self._options.host}:{port}"
        self.slack.courier.sockets.app_id = self.slack.workspace.app_id
        return self.slack.base_url

    async def stop(self) -> None:
        """Close all connections and stop listening."""
        await self._runner.cleanup()


async def _close(app: web.Application) -> None:
    await app[_KEY].courier.close()
    app[_KEY].feed.hang_up()


async def _api(request: web.Request) -> web.StreamResponse:
    return await endpoint.answer(request.app[_KEY], request)


async def _response_url(request: web.Request) -> web.StreamResponse:
    return await response_url.respond(request.app[_KEY], request)


async def _upload(request: web.Request) -> web.Response:
    return await files.receive(request.app[_KEY], request)


async def _download(request: web.Request) -> web.Response:
    return await files.download(request.app[_KEY], request)


async def _look(request: web.Request) -> web.Response:
    status, answer = looks.look(request.app[_KEY], request.match_info["look"], request.query)
    return web.json_response(answer, status=status)


async def _deed(request: web.Request) -> web.Response:
    try:
        asked: Any = json.loads(await request.text() or "{}")
    except ValueError:
        return web.json_response({"error": "the body is not JSON"}, status=400)
    if not isinstance(asked, dict):
        return web.json_response({"error": "the body must be a JSON object"}, status=400)
    status, answer = await deeds.do(request.app[_KEY], request.match_info["deed"], asked)
    return web.json_response(answer, status=status)


async def _page_state(request: web.Request) -> web.Response:
    try:
        shown: Json = page.state(request.app[_KEY], request.query)
    except NotPossible as nobody:
        return web.json_response({"error": str(nobody)}, status=409)
    return web.json_response(shown)


async def _page_completions(request: web.Request) -> web.Response:
    return web.json_response({"completions": page.completions(request.app[_KEY], request.query)})


async def _page_feed(request: web.Request) -> web.StreamResponse:
    return await page.feed(request.app[_KEY], request)


async def _index(request: web.Request) -> web.StreamResponse:
    index = _PAGE / "index.html"
    if not index.is_file():
        return web.Response(
            status=404, text="the page is not there: local_slack/page/index.html is missing"
        )
    return web.FileResponse(index, headers={"Cache-Control": "no-store"})
