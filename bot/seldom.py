"""Saying once a minute what would otherwise be said at every turn of an outage."""

import time
from collections.abc import Callable

_EVERY_SECONDS = 60.0


class Seldom:
    """Lets one line a minute through to the log, and drops the others."""

    def __init__(self) -> None:
        self._said_at = -_EVERY_SECONDS

    def __call__(self, say: Callable[..., object], event: str, **more: str) -> None:
        """Say it with this method of a log, unless something was said within the last minute."""
        if time.monotonic() - self._said_at >= _EVERY_SECONDS:
            self._said_at = time.monotonic()
            say(event, **more)
