"""Connections to PostgreSQL that end a wait by themselves.

`statement_timeout` is kept by the server, so a server that is frozen, or that the network no longer leads to, keeps
none; and psycopg waits for its answer for ever. Such a connection is closed: what it was asked may still be done by
the server, once it goes on, but no transaction of it is ever committed unless its COMMIT was on its way.

A module of its own, since processes on SQLite do without the driver.
"""

import select
import time
from collections.abc import Generator
from typing import Any, Final, TypeVar

import psycopg
from sqlalchemy import Engine, event

from knowledge_base_agent.records.silence import exhausted, waiting

T = TypeVar("T")
_LOOK_EVERY = 0.1
"""Seconds between two looks at the time while nothing comes."""

_CONNECT_SECONDS = 2.0
"""What the driver waits for a connection at least. Where not even half of it is left, none is begun."""

_FRESH_SECONDS: Final = 30.0
"""A connection on which the server has spoken so lately is not asked whether it is still there, unless it was closed.

Less than what firewalls and load balancers forget an idle one after, which is minutes.
"""


class SilentServer(psycopg.OperationalError):
    """The server did not say a word for as long as one can wait."""


class BoundedConnection(psycopg.Connection[Any]):
    """Closes itself and raises `SilentServer` when an answer is not there within `longest` seconds."""

    longest = 3.0
    heard = float("-inf")
    """When the server has last answered, by `time.monotonic()`."""

    def wait(
        self,
        gen: Generator[Any, Any, T],
        interval: float = _LOOK_EVERY,
        timeout: float | None = None,
    ) -> T:
        """Wait for the server's answer, as the driver does, but not for ever."""
        try:
            with waiting(self.longest) as within:
                answer = super().wait(_watched(gen, within), interval, timeout)
        except SilentServer:
            self.pgconn.finish()
            raise
        self.heard = time.monotonic()
        return answer

    @property
    def fresh(self) -> bool:
        """Whether it answered a moment ago, and nothing has come since: a server that ends closes its connections."""
        if self.closed or time.monotonic() - self.heard > _FRESH_SECONDS:
            return False
        came = select.poll()
        came.register(self.pgconn.socket, select.POLLIN)
        return not came.poll(0)


def bound(engine: Engine, longest: float) -> None:
    """Let an engine's connections wait for at most `longest` seconds an answer, and be asked no more than is needed."""
    asked = engine.dialect.do_ping

    def ping(connection: Any) -> bool:
        return connection.fresh or asked(connection)

    engine.dialect.do_ping = ping  # type: ignore[method-assign, assignment]

    @event.listens_for(engine, "do_connect")
    def _connect(_dialect: Any, _record: Any, arguments: Any, options: dict[str, Any]) -> Any:
        return connected(longest, *arguments, **options)


def connected(longest: float, *arguments: Any, **options: Any) -> BoundedConnection:
    """Connect, waiting for at most `longest` seconds (at least two) an address. Raises `psycopg.OperationalError`."""
    if exhausted(_CONNECT_SECONDS / 2):
        raise SilentServer("it was silent a moment ago")
    with waiting(longest):
        connection = BoundedConnection.connect(*arguments, **options)
    connection.longest = longest
    return connection


def _watched(work: Generator[Any, Any, T], within: float) -> Generator[Any, Any, T]:
    """Go through the driver's generator, which is given 0 where nothing has come, until the time is up."""
    ends = time.monotonic() + within
    try:
        wants = next(work)
        while True:
            ready = yield wants
            if not ready and time.monotonic() >= ends:
                raise SilentServer(f"no answer within {within:.1f} s")
            wants = work.send(ready)
    except StopIteration as done:
        found: T = done.value
        return found
