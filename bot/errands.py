"""The bot's own work after it has acknowledged: tasks that are kept, counted, and finished before it stops.

Whatever takes the event loop more than a moment waits here for its turn, and one is let through at each turn of the
loop. So an acknowledgement, which waits for none, is never behind more than one of them, however many wait.
"""

import asyncio
import os
import time
from collections import deque
from collections.abc import Coroutine
from enum import IntEnum
from typing import Any, TypeVar

T = TypeVar("T")
Work = Coroutine[Any, Any, None]

BEHIND_SECONDS = 2.0
"""How long what is new may wait. What is begun later may be answered too late: its work has to look, and say no more
than that."""
_SLOW_SECONDS = 0.004
"""How long a turn of the loop may take. After a slower one nothing new is begun for as long again."""
_LONGEST_REST = 0.01
_STILL_BEGUN = 0.25
"""The part of the time for stopping in which what waits is still begun: most of it is for what runs, and for telling
those whose work is not begun. Whoever ends the process may give it less time than we take."""
_CUT_SHORT_AFTER = 0.85
"""The part after which what still runs is cancelled, so that there is time to tell its person."""


class Urgency(IntEnum):
    """Which goes first of what waits."""

    AT_ONCE = 0
    """What somebody confirms, cancels or stops."""
    UNREAD = 1
    """What was acknowledged and is to be read, in a part of a millisecond: it may be one of those above."""
    BEGUN = 2
    """The answer to what was begun."""
    NEW = 3
    """Work that is to begin."""


class Errands:
    """Running tasks. The event loop itself holds tasks weakly, so somebody has to keep them."""

    def __init__(self) -> None:
        self._lines: tuple[deque[Work | asyncio.Future[None]], ...] = tuple(
            deque() for _ in Urgency
        )
        self._since: deque[float] = deque()
        """Since when each waits that is new, by `time.monotonic()`."""
        self._running: set[asyncio.Task[Any]] = set()
        self._ending = asyncio.Event()
        self.closing = False
        """Whether what has its turn now is not to begin: the bot is about to end, and its person is to hear so."""
        self._next: asyncio.Handle | None = None
        self._last_turn = 0.0

    def __len__(self) -> int:
        return len(self._running) + sum(map(len, self._lines))

    @property
    def waiting(self) -> int:
        """How many works have yet to begin."""
        return len(self._lines[Urgency.NEW])

    def start(self, work: Work, urgency: Urgency = Urgency.NEW) -> None:
        """Begin a task when its turn comes; what it raises must have been handled within."""
        self._line_up(work, urgency)

    def along(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Begin at once what waits for no turn, such as an answer that Slack reads, and finish it with the rest."""
        task = asyncio.create_task(work)
        self._keep(task)
        return task

    async def turn(self) -> None:
        """Return when the loop has a turn for the next part of what was begun, such as posting an answer."""
        mine: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._line_up(mine, Urgency.BEGUN)
        await mine

    def _line_up(self, one: "Work | asyncio.Future[None]", urgency: Urgency) -> None:
        now = time.monotonic()
        self._lines[urgency].append(one)
        if urgency is Urgency.NEW:
            self._since.append(now)
        elif isinstance(self._next, asyncio.TimerHandle):  # nothing but what is new has to rest
            self._next.cancel()
            self._next = None
        if self._next is None:
            self._last_turn = now
            self._next = asyncio.get_running_loop().call_soon(self._let_through)

    def _let_through(self) -> None:
        now = time.monotonic()
        took, self._last_turn, self._next = now - self._last_turn, now, None
        *earlier, new = self._lines
        line = next((line for line in earlier if line), None)
        if line is self._lines[Urgency.UNREAD] and not self._running:
            # Whoever waits for the acknowledgement on this very processor, such as a proxy, gets it before we go on.
            # Not where more is done: whoever gets the processor may keep it for milliseconds, and all waits for us.
            os.sched_yield()
        if line is not None:
            self._go(line.popleft())
        # What waits for too long goes beside it: that is only told so, which is soon done.
        if new and (line is None or now - self._since[0] > BEHIND_SECONDS):
            self._since.popleft()
            self._go(new.popleft())
        self._go_on(now, took)

    def _go(self, one: "Work | asyncio.Future[None]") -> None:
        if not isinstance(one, asyncio.Future):
            self._keep(asyncio.create_task(one))
        elif not one.done():
            one.set_result(None)

    def _keep(self, task: asyncio.Task[Any]) -> None:
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    def _go_on(self, now: float, took: float) -> None:
        """Let through more at the next turn; after a slow one, what is new only once others had their time."""
        loop = asyncio.get_running_loop()
        if len(self) == len(self._running):
            return
        hurries = not self._since or now - self._since[0] > BEHIND_SECONDS
        if any(self._lines[: Urgency.NEW]) or took < _SLOW_SECONDS or hurries:
            self._next = loop.call_soon(self._let_through)
        else:
            rest = min(took, _LONGEST_REST)
            self._last_turn += rest
            self._next = loop.call_later(rest, self._let_through)

    async def ending_within(self, seconds: float) -> bool:
        """Wait; True as soon as the bot is about to stop, for what would otherwise go on for minutes."""
        try:
            async with asyncio.timeout(seconds):
                await self._ending.wait()
        except TimeoutError:
            return False
        return True

    async def finish(self, within: float) -> int:
        """Wait until all is done, `within` seconds at most; cancel the rest and return how many that were.

        After a quarter of that time it is `closing`. What is cancelled has the last part of it to say so.
        """
        self._ending.set()
        now = time.monotonic()
        await self._all_done(by=now + within * _STILL_BEGUN)
        self.closing = True
        await self._all_done(by=now + within * _CUT_SHORT_AFTER)
        left = self._cancelled()
        await self._all_done(by=now + within)
        late = self._cancelled()
        await asyncio.gather(*late, return_exceptions=True)
        return len(left | late) + self._dropped()

    def _cancelled(self) -> set[asyncio.Task[Any]]:
        """Cancel what runs, and return it."""
        left = set(self._running)
        for task in left:
            task.cancel()
        return left

    async def _all_done(self, *, by: float) -> None:
        # One may begin another: a request that was acknowledged has yet to be read.
        while len(self) and (seconds := by - time.monotonic()) > 0:
            if self._running:
                await asyncio.wait(set(self._running), timeout=seconds)
            else:
                await asyncio.sleep(0)  # the turn at which the next one is begun

    def _dropped(self) -> int:
        """Drop what was not begun, and return how many works that were."""
        works = 0
        self._since.clear()
        for line in self._lines:
            while line:
                one = line.popleft()
                if not isinstance(one, asyncio.Future):
                    one.close()
                    works += 1
        return works
