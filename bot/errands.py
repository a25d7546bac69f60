"""The bot's own work after it has acknowledged: tasks that are kept, counted, and finished before it stops."""

import asyncio
import time
from collections.abc import Coroutine
from typing import Any


class Errands:
    """Running tasks. The event loop itself holds tasks weakly, so somebody has to keep them."""

    def __init__(self) -> None:
        self._running: set[asyncio.Task[None]] = set()
        self._ending = asyncio.Event()

    def __len__(self) -> int:
        return len(self._running)

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        """Begin a task; what it raises must have been handled within."""
        task = asyncio.create_task(work)
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def ending_within(self, seconds: float) -> bool:
        """Wait; True as soon as the bot is about to stop, for what would otherwise go on for minutes."""
        try:
            async with asyncio.timeout(seconds):
                await self._ending.wait()
        except TimeoutError:
            return False
        return True

    async def finish(self, within: float) -> int:
        """Wait until all is done, `within` seconds at most; cancel the rest and return how many that were."""
        self._ending.set()
        until = time.monotonic() + within
        # One may begin another: a request that was acknowledged has yet to be read.
        while self._running and (seconds := until - time.monotonic()) > 0:
            await asyncio.wait(set(self._running), timeout=seconds)
        left = set(self._running)
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
        return len(left)
