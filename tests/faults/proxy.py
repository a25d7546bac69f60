"""A TCP proxy between a program and a server, which delays, cuts, refuses, or lets nothing through.

It can't refuse to answer a SYN, as a firewall does: while it is black, a new connection is made, and then silent. A
program without a deadline of its own on reading hangs just the same.
"""

import asyncio
import contextlib
import threading
from collections.abc import Callable, Coroutine, Iterator
from typing import Any, TypeVar
from urllib.parse import urlsplit, urlunsplit

T = TypeVar("T")
_CHUNK = 65_536


class Proxy:
    """Stands before one server. Every method may be called from any thread, and has taken effect when it returns."""

    def __init__(self, host: str, port: int) -> None:
        self.port = 0
        self._target = (host, port)
        self._delay = 0.0
        self._drop_seconds = 0.0
        self._stop_at: Callable[[bytes], bool] | None = None
        self._shut_after: bytes | None = None
        self._pairs: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None
        self._loop = asyncio.new_event_loop()
        self._open = asyncio.Event()
        self._thread = threading.Thread(target=self._loop.run_forever, name="proxy", daemon=True)
        self._thread.start()
        self._do(self._listen())
        self.heal()

    def url(self, of: str) -> str:
        """Return an address of the server (with its user, database and options) as one that leads through here."""
        parts = urlsplit(of)
        user = f"{parts.netloc.rpartition('@')[0]}@" if "@" in parts.netloc else ""
        return urlunsplit(parts._replace(netloc=f"{user}127.0.0.1:{self.port}"))

    def delay(self, seconds: float) -> None:
        """Hold back each piece of data in both directions by so long."""
        self._delay = seconds

    def drip(self, seconds: float) -> None:
        """Pass on what the server says byte by byte, each so long after the other."""
        self._drop_seconds = seconds

    def black_hole(self) -> None:
        """Let nothing through any more, and say so to nobody."""
        self._do(self._shut())

    def cut(self) -> None:
        """Break every connection; new ones are served."""
        self._do(self._cut())

    def cut_at(self, fragment: bytes) -> None:
        """Break a connection in place of passing on what contains this, once; the server does not get it."""
        self._stop_at = lambda data: fragment in data

    def black_hole_after(self, fragment: bytes) -> None:
        """Pass on what contains this, once, and let nothing through any more: neither its answer nor anything else."""
        self._shut_after = fragment

    def refuse(self) -> None:
        """Break every connection and refuse new ones."""
        self._do(self._refuse())

    def heal(self) -> None:
        """Let everything through again, what was held back in black connections too."""
        self._delay, self._drop_seconds = 0.0, 0.0
        self._stop_at = self._shut_after = None
        self._do(self._listen())

    def close(self) -> None:
        """End it."""
        self._do(self._refuse())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
        self._loop.close()

    def _do(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(5)

    async def _listen(self) -> None:
        self._open.set()
        if self._server is None:
            self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
            self.port = self._server.sockets[0].getsockname()[1]

    async def _shut(self) -> None:
        self._open.clear()

    async def _cut(self) -> None:
        pairs = set(self._pairs)
        for pair in pairs:
            pair.cancel()
        await asyncio.gather(*pairs, return_exceptions=True)

    async def _refuse(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None
        await self._cut()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        pair = asyncio.create_task(self._pass_on(reader, writer))
        self._pairs.add(pair)
        await asyncio.wait({pair})
        self._pairs.discard(pair)

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.ExitStack() as closing:
            closing.callback(writer.transport.abort)
            await self._open.wait()
            try:
                back, there = await asyncio.open_connection(*self._target)
            except OSError:
                return  # the client is cut off, as it would be without us
            closing.callback(there.transport.abort)
            pumps = {
                asyncio.create_task(self._pump(reader, there, watched=True)),
                asyncio.create_task(self._pump(back, writer, watched=False)),
            }
            try:
                await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for pump in pumps:
                    pump.cancel()
                await asyncio.gather(*pumps, return_exceptions=True)

    async def _pump(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, watched: bool
    ) -> None:
        while data := await reader.read(_CHUNK):
            if self._delay:
                await asyncio.sleep(self._delay)
            await self._open.wait()
            if watched and self._stop_at is not None and self._stop_at(data):
                self._stop_at = None
                return
            if watched and self._shut_after is not None and self._shut_after in data:
                self._shut_after = None
                await self._shut()  # before it is passed on, so that no answer can be faster
            if self._drop_seconds and not watched:
                for drop in data[:-1]:
                    writer.write(bytes((drop,)))
                    await asyncio.sleep(self._drop_seconds)
                data = data[-1:]
            writer.write(data)
            await writer.drain()


@contextlib.contextmanager
def proxy_to(url: str) -> Iterator[Proxy]:
    """Lend a proxy before the server of this address."""
    parts = urlsplit(url)
    proxy = Proxy(parts.hostname or "127.0.0.1", parts.port or 0)
    try:
        yield proxy
    finally:
        proxy.close()
