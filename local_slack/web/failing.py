"""Suffering a failure that was ordered."""

import asyncio

from aiohttp import web

from local_slack.failures import Failure


def too_many(seconds: int) -> web.Response:
    """429, with the wait in Retry-After."""
    body = {"ok": False, "error": "ratelimited"}
    return web.json_response(body, status=429, headers={"Retry-After": str(seconds)})


async def suffer(failure: Failure, request: web.Request) -> web.StreamResponse:
    """Answer as ordered; hang and drop end with the connection cut."""
    if failure.how == "429":
        return too_many(failure.retry_after)
    if failure.how == "500":
        return web.Response(
            status=500, text="<html>Internal Server Error</html>", content_type="text/html"
        )
    if failure.how == "error":
        return web.json_response({"ok": False, "error": failure.error})
    if failure.how == "hang":
        await asyncio.sleep(failure.seconds)
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=500)
