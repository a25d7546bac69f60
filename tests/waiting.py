"""Waiting for a condition: the only waiting that tests do."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

T = TypeVar("T")
_EVERY = 0.02


def wait_until(condition: Callable[[], T], *, within: float = 10.0, what: str = "") -> T:
    """Return the first true value of `condition`; fail with `what` after `within` seconds."""
    end = time.monotonic() + within
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"not within {within} s: {what or condition} (last: {value!r})")
        time.sleep(_EVERY)


async def await_until(
    condition: Callable[[], object], *, within: float = 10.0, what: str = ""
) -> Any:
    """Do the same without blocking the event loop; the condition may be a coroutine function."""
    end = time.monotonic() + within
    while True:
        outcome = condition()
        value = await outcome if isinstance(outcome, Awaitable) else outcome
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"not within {within} s: {what or condition} (last: {value!r})")
        await asyncio.sleep(_EVERY)
