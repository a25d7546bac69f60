"""Keeps web pages of other origins from acting here: what runs in a browser on this machine can reach this port."""

from urllib.parse import urlsplit

from aiohttp import web
from aiohttp.typedefs import Handler

_LOOPBACK = {"127.0.0.1", "localhost", "::1"}


@web.middleware
async def only_this_page(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuse a foreign Origin, and (against DNS rebinding) a foreign Host on a loopback address."""
    origin = request.headers.get("Origin")
    if origin is not None and urlsplit(origin).netloc != request.host:
        return web.json_response({"error": f"pages of {origin} may not act here"}, status=403)
    peer = request.transport.get_extra_info("sockname") if request.transport else None
    local = peer is not None and peer[0] in _LOOPBACK
    if local and urlsplit(f"//{request.host}").hostname not in _LOOPBACK:
        return web.json_response({"error": f"{request.host} is not this machine"}, status=403)
    return await handler(request)
