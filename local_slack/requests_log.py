"""What the app called, for tests to look at."""

import time
from collections import deque

from local_slack.shapes import Json

_KEPT = 2000


class RequestsLog:
    """The last calls of the app, oldest first; tokens are not kept."""

    def __init__(self) -> None:
        self._calls: deque[Json] = deque(maxlen=_KEPT)

    def note(self, method: str, arguments: Json) -> Json:
        """Remember a call; `finish` adds what it was answered."""
        call: Json = {"method": method, "args": arguments, "at": time.time(), "answer": None}
        self._calls.append(call)
        return call

    def all(self, method: str | None = None) -> list[Json]:
        """The calls of a method, or all."""
        return [call for call in self._calls if method in (None, call["method"])]

    def clear(self) -> None:
        """Forget them."""
        self._calls.clear()
