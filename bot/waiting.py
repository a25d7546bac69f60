"""Waiting for Slack when it wants fewer calls."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from bot.slack_api import TooFast

T = TypeVar("T")
_TRIES = 4
_LONGEST = 10.0


async def patiently(call: Callable[[], Awaitable[T]]) -> T:
    """Make a call again after the time that Slack asks for, a few times. A refused call was surely not done."""
    for _ in range(_TRIES - 1):
        try:
            return await call()
        except TooFast as slow_down:
            if slow_down.retry_after > _LONGEST:
                raise
            await asyncio.sleep(slow_down.retry_after)
    return await call()


def backoff(failures: int, longest: float = 60.0) -> float:
    """Return the seconds to wait after this many failures in a row: 1, 2, 4, … up to `longest`."""
    return float(min(2.0 ** max(failures - 1, 0), longest))
