"""Socket Mode: tickets, connections, envelopes, acknowledgements (docs.slack.dev/apis/events-api/using-socket-mode)."""

import asyncio
import json
import secrets
import time
from dataclasses import dataclass, field
from typing import Any

from aiohttp import WSMsgType, web

from local_slack.delivery.parcel import Outcome, Parcel
from local_slack.feed import Feed
from local_slack.options import Options
from local_slack.shapes import Json

TICKET_SECONDS = 30.0
MOST_CONNECTIONS = 10


@dataclass(kw_only=True, eq=False)
class Connection:
    """One WebSocket of the app, and the envelopes it has not acknowledged yet."""

    name: str
    socket: web.WebSocketResponse
    waiting: dict[str, asyncio.Future[Json | None]] = field(default_factory=dict)


class SocketMode:
    """All connections of the app; an envelope goes to one of them, in turn."""

    def __init__(self, options: Options, feed: Feed) -> None:
        self._options = options
        self._feed = feed
        self._tickets: dict[str, float] = {}
        self._turn = 0
        self.connections: list[Connection] = []
        self.app_id = ""

    def ticket(self) -> str:
        """A ticket for one connection."""
        ticket = secrets.token_urlsafe(24)
        self._tickets[ticket] = time.monotonic()
        return ticket

    async def link(self, request: web.Request) -> web.StreamResponse:
        """The WebSocket end: greet, then take acknowledgements until the app leaves."""
        born = self._tickets.pop(request.query.get("ticket", ""), None)
        if born is None or time.monotonic() - born > TICKET_SECONDS:
            return web.Response(status=403, text="invalid ticket")
        if len(self.connections) >= MOST_CONNECTIONS:
            return web.Response(status=409, text="too_many_websockets")
        socket = web.WebSocketResponse(heartbeat=self._options.ping_seconds)
        await socket.prepare(request)
        connection = Connection(name=f"applink-{secrets.token_hex(4)}", socket=socket)
        self.connections.append(connection)
        self._tell()
        try:
            await socket.send_json(self._hello(connection))
            await self._read(connection)
        finally:
            self._forget(connection)
        return socket

    async def send(self, parcel: Parcel) -> Outcome:
        """Send an envelope to one connection and wait for its acknowledgement."""
        began = time.monotonic()
        for connection in self._in_turn():
            waiting: asyncio.Future[Json | None] = asyncio.get_running_loop().create_future()
            connection.waiting[parcel.envelope_id] = waiting
            try:
                await connection.socket.send_json(parcel.envelope())
            except ConnectionError:
                continue  # it is closing: another connection gets the envelope
            return await self._acknowledged(connection, parcel, waiting, began)
        return Outcome(failure="dispatch_failed")

    async def _acknowledged(
        self,
        connection: Connection,
        parcel: Parcel,
        waiting: "asyncio.Future[Json | None]",
        began: float,
    ) -> Outcome:
        try:
            answer = await asyncio.wait_for(waiting, self._options.ack_seconds)
        except (TimeoutError, ConnectionError):
            # A connection that went after it got the envelope may have acted on it: it is not sent elsewhere.
            return Outcome(failure="operation_timeout", milliseconds=_since(began))
        finally:
            connection.waiting.pop(parcel.envelope_id, None)
        return Outcome(answer=answer, milliseconds=_since(began))

    def _in_turn(self) -> list[Connection]:
        self._turn += 1
        start = self._turn % max(1, len(self.connections))
        return self.connections[start:] + self.connections[:start]

    async def disconnect(self, reason: str, *, close: bool) -> int:
        """Ask every connection to refresh (`warning`, `refresh_requested`, `link_disabled`); return how many."""
        asked = list(self.connections)
        for connection in asked:
            message = {
                "type": "disconnect",
                "reason": reason,
                "debug_info": {"host": connection.name},
            }
            await connection.socket.send_json(message)
            if close:
                await connection.socket.close()
        return len(asked)

    async def cut(self) -> int:
        """Close every connection without a word, as a broken network does."""
        asked = list(self.connections)
        for connection in asked:
            await connection.socket.close(code=1011)
        return len(asked)

    async def _read(self, connection: Connection) -> None:
        async for message in connection.socket:
            if message.type == WSMsgType.TEXT:
                self._take(connection, message.data)

    def _take(self, connection: Connection, data: str) -> None:
        """An acknowledgement; one that nobody waits for (late, or of another connection) counts for nothing."""
        try:
            told: Any = json.loads(data)
        except ValueError:
            return
        waiting = (
            connection.waiting.get(told.get("envelope_id", "")) if isinstance(told, dict) else None
        )
        if waiting is not None and not waiting.done():
            waiting.set_result(told.get("payload"))

    def _hello(self, connection: Connection) -> Json:
        return {
            "type": "hello",
            "num_connections": len(self.connections),
            "debug_info": {
                "host": connection.name,
                "build_number": 1,
                "approximate_connection_time": 18060,
            },
            "connection_info": {"app_id": self.app_id},
        }

    def _forget(self, connection: Connection) -> None:
        if connection in self.connections:
            self.connections.remove(connection)
        for waiting in connection.waiting.values():
            if not waiting.done():
                waiting.set_exception(ConnectionResetError())
        self._tell()

    def _tell(self) -> None:
        self._feed.tell_everyone({"type": "connection", "app_connected": bool(self.connections)})


def _since(began: float) -> float:
    return round((time.monotonic() - began) * 1000, 3)
