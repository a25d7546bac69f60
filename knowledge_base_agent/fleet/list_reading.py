"""Every message of a Redis list, counted by its task: two threads take turns, so that neither side waits.

While one reads from the server, which works in a process of its own, the other looks at what it has read. The server
is asked one thing at a time all the same: two would keep its other clients waiting for twice as long.
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

READERS: Final = 2
_RUN_SECONDS: Final = 0.1
_CHUNK_BYTES: Final = 2_000_000
_LONGEST_CHUNK: Final = 2_000
_FIRST_CHUNK: Final = 200


class ListReading:
    """One list while it is read, from the end where messages are taken: what is published meanwhile moves nothing."""

    def __init__(self, client: redis.Redis, key: str, length: int, deadline: Deadline) -> None:
        self._client = client
        self._key = key
        self._length = length
        self._deadline = deadline
        self._lock = threading.Lock()
        self._reached = 0
        self._chunk = _FIRST_CHUNK

    @property
    def complete(self) -> bool:
        """Whether nothing is left to be read."""
        return self._reached >= self._length

    @property
    def goes_on(self) -> bool:
        """Whether there is something left, and time for it."""
        return not self.complete and not self._deadline.expired

    def count_for_a_while(self) -> Counter[str]:
        """Count what nobody else has read, for about a tenth of a second; blocks on the server. Raises `Away`."""
        counted: Counter[str] = Counter()
        until = Deadline.after(_RUN_SECONDS)
        while not until.expired and (raw := self._next()) is not None:
            counted.update(task_names(raw, UNNAMED))
        return counted

    def _next(self) -> list[bytes] | None:
        with self._lock:
            if not self.goes_on:
                return None
            start = self._reached
            chunk = min(self._chunk, self._length - start)
            with away_if_down(SOURCE):
                raw: Any = self._client.lrange(self._key, -start - chunk, -start - 1)
            self._reached = start + chunk
            size = sum(map(len, raw)) // (len(raw) or 1)
            self._chunk = max(1, min(_LONGEST_CHUNK, _CHUNK_BYTES // (size or 1)))
            messages: list[bytes] = raw
            return messages
