"""Every message of a Redis list, counted by its task: the server brings the next ones while these are looked at.

One thread asks for a chunk before it looks at the one that has come. Two that took turns would each wait for the
interpreter at every piece of a reply, of which a chunk has thirty. The server is asked one thing at a time: its other
clients would wait for two.
"""

import threading
from collections import Counter
from typing import Any, Final

import redis

from knowledge_base_agent.fleet.away import away_if_down
from knowledge_base_agent.fleet.broadcast import SOURCE
from knowledge_base_agent.fleet.deadline import Deadline
from knowledge_base_agent.fleet.envelopes import task_names
from knowledge_base_agent.fleet.sampling import UNNAMED

_RUN_SECONDS: Final = 0.1
_CHUNK_BYTES: Final = 2_000_000
_LONGEST_CHUNK: Final = 2_000
_FIRST_CHUNK: Final = 200


class ListReading:
    """One list while it is read, from the end where messages are taken: what is published meanwhile moves nothing.

    For one thread at a time. It holds a connection from the first look until it is let go, or something fails.
    """

    def __init__(self, client: redis.Redis, key: str, length: int, deadline: Deadline) -> None:
        self._pool: Any = client.connection_pool
        self._connection: Any = None
        self._key = key
        self._length = length
        self._deadline = deadline
        self._reached = 0
        self._coming = 0
        """How many messages have been asked for and not been read."""
        self._chunk = _FIRST_CHUNK
        self._lock = threading.Lock()
        self._busy = self._over = False

    @property
    def complete(self) -> bool:
        """Whether nothing is left to be read."""
        return self._reached >= self._length

    @property
    def goes_on(self) -> bool:
        """Whether there is something left, and time for it."""
        return not (self.complete or self._over or self._deadline.expired)

    def count_for_a_while(self) -> Counter[str]:
        """Count what has not been read, for about a tenth of a second; blocks on the server. Raises `Away`."""
        self._busy = True
        until = Deadline.after(_RUN_SECONDS)
        try:
            with away_if_down(SOURCE):
                counted = Counter(task_names(self._next(), UNNAMED))
                while self.goes_on and not until.expired:
                    counted.update(task_names(self._next(), UNNAMED))
        except BaseException:
            self._over = True
            raise
        finally:
            self._pause()
        return counted

    def let_go(self) -> None:
        """Read no more, and give the connection back: now, or when who still reads has what was asked for."""
        with self._lock:
            self._over = True
            if not self._busy:
                self._release()

    def _pause(self) -> None:
        with self._lock:
            self._busy = False
            if self._over:
                self._release()

    def _next(self) -> list[bytes]:
        if not self._coming:
            self._ask()
        raw: list[bytes] = self._connection.read_response()
        self._reached, self._coming = self._reached + self._coming, 0
        size = sum(map(len, raw)) // (len(raw) or 1)
        self._chunk = max(1, min(_LONGEST_CHUNK, _CHUNK_BYTES // (size or 1)))
        if self.goes_on:
            self._ask()
        return raw

    def _ask(self) -> None:
        if self._connection is None:
            self._connection = self._pool.get_connection()
        start, chunk = self._reached, min(self._chunk, self._length - self._reached)
        self._coming = chunk
        self._connection.send_command("LRANGE", self._key, -start - chunk, -start - 1)

    def _release(self) -> None:
        """Give the connection back; one on which something is still coming is of no use to anybody."""
        connection, self._connection = self._connection, None
        if connection is not None:
            if self._coming:
                connection.disconnect()
            self._pool.release(connection)
