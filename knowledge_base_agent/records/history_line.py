"""A connection to Redis that never blocks: packed commands go out, and answers are only counted.

redis-py dials and signs in (passwords, TLS, sockets); after that its reading one answer at a time would cost a worker
most of what tracking costs, since each system call hands the interpreter over between the threads.
"""

import socket
import ssl
from typing import Any, Final, Protocol, cast

import hiredis
from redis import ConnectionError as RedisConnectionError
from redis import ConnectionPool, ResponseError
from redis.backoff import NoBackoff
from redis.retry import Retry

DIAL_SECONDS: Final = 0.5
_READ_BYTES: Final = 65_536
_NOT_NOW = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


class _Lending:
    """Added to redis-py's connection classes, to take the socket over once it is signed in."""

    _sock: socket.socket | None

    def lend_socket(self) -> socket.socket:
        found, self._sock = self._sock, None
        if found is None:
            raise RedisConnectionError("the connection was closed while it was made")
        return found


class _Dialler(Protocol):
    def connect(self) -> None: ...
    def lend_socket(self) -> socket.socket: ...


class HistoryLine:
    """One connected, signed-in socket. Not thread safe; `OSError` and `RedisError` mean that it is of no more use."""

    def __init__(self, connected: socket.socket) -> None:
        connected.setblocking(False)
        self._socket = connected
        self._unsent = b""
        self._reader: Any = hiredis.Reader()

    def send(self, packed: bytes = b"") -> bool:
        """Send what the socket takes now, and keep the rest for the next time; tell whether nothing is left.

        While something is left, more is not to be given: it would be copied at each try.
        """
        packed = self._unsent + packed
        while packed:
            try:
                packed = packed[self._socket.send(packed) :]
            except _NOT_NOW:
                break
        self._unsent = packed
        return not packed

    def answers(self) -> int:
        """Return how many commands were answered since the last call. Raises `ResponseError` at a refusal."""
        try:
            received = self._socket.recv(_READ_BYTES)
        except _NOT_NOW:
            return 0
        if not received:
            raise RedisConnectionError("the server has closed the connection")
        self._reader.feed(received)
        number = 0
        while (answer := self._reader.gets()) is not False:
            if isinstance(answer, hiredis.ReplyError):
                raise ResponseError(str(answer))
            number += 1
        return number

    def close(self) -> None:
        """Let go of the socket."""
        self._socket.close()


class HistoryLines:
    """Makes lines to one Redis."""

    def __init__(self, url: str) -> None:
        pool = ConnectionPool.from_url(
            url,
            protocol=2,
            retry=Retry(NoBackoff(), 0),
            socket_timeout=DIAL_SECONDS,
            socket_connect_timeout=DIAL_SECONDS,
        )
        kind: Any = pool.connection_class
        pool.connection_class = type("HistoryConnection", (_Lending, kind), {})
        self._pool = pool

    def dial(self) -> HistoryLine:
        """Connect and sign in, within about a second. Raises redis-py's errors."""
        dialler = cast(_Dialler, self._pool.make_connection())
        dialler.connect()
        return HistoryLine(dialler.lend_socket())
