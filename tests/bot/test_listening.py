"""The port that the bot listens on: one for both kinds of addresses, and said when it is taken."""

import asyncio
import errno
import socket
from typing import Any

import pytest

from bot import http_mode
from tests.bot.at_work import bot_at_work, settings_in
from tests.bot.test_http_mode import spoken
from tests.people import LocalSlack


async def test_a_taken_port_is_said(slack: LocalSlack, sqlite_url: str) -> None:
    with socket.socket() as taken:
        taken.bind(("0.0.0.0", 0))
        taken.listen()
        settings = settings_in(slack, sqlite_url, port=taken.getsockname()[1])
        with pytest.raises(OSError, match="Address already in use"):
            async with bot_at_work(settings):
                pytest.fail("it must not start")


async def test_a_free_port_is_the_same_for_both_kinds_of_addresses() -> None:
    served = http_mode.Served([])
    port = await served.start(0)
    try:
        for host in ("127.0.0.1", "::1" if socket.has_dualstack_ipv6() else "127.0.0.1"):
            _, writer = await asyncio.open_connection(host, port)
            writer.close()
            await writer.wait_closed()
    finally:
        await served.close()


async def test_where_ipv6_is_turned_off_the_bot_listens_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ours = socket.create_server

    def create_server(address: tuple[str, int], **asked: Any) -> socket.socket:
        if asked.get("family") == socket.AF_INET6:
            raise OSError(errno.EADDRNOTAVAIL, "Cannot assign requested address")
        return ours(address, **asked)

    monkeypatch.setattr(socket, "create_server", create_server)
    served = http_mode.Served([], idle_seconds=0.2)
    port = await served.start(0)
    try:
        assert await spoken(f"http://127.0.0.1:{port}", b"") == b""
    finally:
        await served.close()
