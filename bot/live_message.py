"""A message that follows something: at most one edit a second, the latest wins, the end is always written."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import Self

import structlog

from bot.blocks.drawn import Drawn
from bot.slack_api import Refusal, TooFast, Unreached
from bot.waiting import backoff

log = structlog.get_logger()
Draw = Callable[[], Drawn]

EVERY_SECONDS = 1.0
"""Slack allows about one `chat.update` a second on a channel."""


class LiveMessage:
    """One writer for one message, so that an older state can never land on a newer one."""

    def __init__(
        self, write: Callable[[Drawn], Awaitable[None]], *, every: float = EVERY_SECONDS
    ) -> None:
        self._write = write
        self._every = every
        self._next: Draw | None = None
        self._wake = asyncio.Event()
        self._ending = asyncio.Event()
        self._writer = asyncio.create_task(self._follow())

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self._writer.cancel()

    def show(self, draw: Draw) -> None:
        """Have a state shown soon. It is drawn only when its turn comes, and dropped when a newer one is there."""
        if not self._ending.is_set():
            self._next = draw
            self._wake.set()

    async def finish(self, drawn: Drawn, *, within: float = 120.0) -> bool:
        """Write the final state, trying for `within` seconds; False when Slack did not take it."""
        self._ending.set()
        self._next = lambda: drawn
        self._wake.set()
        done, _ = await asyncio.wait({self._writer}, timeout=within)
        if not done:
            self._writer.cancel()
            return False
        return not self._writer.cancelled() and self._writer.result()

    async def _follow(self) -> bool:
        failures = 0
        while True:
            await self._wake.wait()
            self._wake.clear()
            draw, self._next = self._next, None
            last = self._ending.is_set()
            if draw is None:
                continue
            try:
                await self._write(draw())
                failures = 0
            except Refusal as error:
                log.warning("a live message can't be written", code=error.code)
                if last:
                    return False
            except (TooFast, Unreached) as error:
                failures += 1
                self._again(draw)
                await asyncio.sleep(_pause(error, failures))
                continue
            if last:
                return True
            await self._rest()

    def _again(self, draw: Draw) -> None:
        if self._next is None:
            self._next = draw
        self._wake.set()

    async def _rest(self) -> None:
        with contextlib.suppress(TimeoutError):  # the end does not wait for its turn
            async with asyncio.timeout(self._every):
                await self._ending.wait()


def _pause(error: Exception, failures: int) -> float:
    return error.retry_after if isinstance(error, TooFast) else backoff(failures, 10.0)


class Relay:
    """Carries progress from the thread that works to the event loop that shows it; floods are joined into one."""

    def __init__(self, show: Callable[[int, int | None, str], None]) -> None:
        self._loop = asyncio.get_running_loop()
        self._show = show
        self._latest: tuple[int, int | None, str] = (0, None, "")
        self._on_its_way = False

    def __call__(self, done: int, total: int | None, note: str = "") -> None:
        """Take progress, from any thread."""
        self._latest = (done, total, note)
        if self._on_its_way:
            return
        self._on_its_way = True
        try:
            self._loop.call_soon_threadsafe(self._arrive)
        except RuntimeError:  # the loop is closed: the bot stops, and nobody looks any more
            log.info("progress after the bot had stopped", done=done)

    def _arrive(self) -> None:
        self._on_its_way = False
        self._show(*self._latest)
