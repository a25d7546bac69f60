"""The bot's own work after it has acknowledged: tasks that are kept, counted, and finished before it stops.

One is begun at each turn of the event loop, in the order in which they came. So when two hundred requests are there at
once, the loop takes and acknowledges all that has arrived between one beginning and the next.
"""

import asyncio
import time
from collections import deque
from collections.abc import Coroutine
from typing import Any

Work = Coroutine[Any, Any, None]


class Errands:
    """Running tasks. The event loop itself holds tasks weakly, so somebody has to keep them."""

    def __init__(self) -> None:
        self._waiting: deque[Work] = deque()
        self._running: set[asyncio.Task[None]] = set()
        self._ending = asyncio.Event()

    def __len__(self) -> int:
        return len(self._running) + len(self._waiting)

    def start(self, work: Work) -> None:
        """Begin a task soon; what it raises must have been handled within."""
        self._waiting.append(work)
        if len(self._waiting) == 1:
            asyncio.get_running_loop().call_soon(self._begin)

    def _begin(self) -> None:
        if not self._waiting:  # the bot has stopped meanwhile
            return
        task = asyncio.create_task(self._waiting.popleft())
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        if self._waiting:
            asyncio.get_running_loop().call_soon(self._begin)

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
        while len(self) and (seconds := until - time.monotonic()) > 0:
            if self._running:
                await asyncio.wait(set(self._running), timeout=seconds)
            else:
                await asyncio.sleep(0)  # the turn at which the next one is begun
        left, unbegun = set(self._running), len(self._waiting)
        while self._waiting:
            self._waiting.popleft().close()
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
        return len(left) + unbegun
