"""Drawing messages in a thread: what a long table takes is too long for a loop that has to acknowledge meanwhile."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from bot.blocks.drawn import Drawn
from bot.blocks.report import age, report_message
from knowledge_base_agent.clock import utc_now
from knowledge_base_agent.report import Report

_AT_ONCE = 1
"""More would draw no faster: what computes takes turns, and so does the loop, which has to acknowledge meanwhile."""
_KEPT = 8


class Drawings:
    """Draws, and the very same report once for all who are given it."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(_AT_ONCE, "kb-draw")
        self._recent: OrderedDict[int, tuple[Report, asyncio.Task[Drawn]]] = OrderedDict()
        """By the identity of reports, which are kept here so that it stays theirs."""

    async def draw(self, draw: Callable[[], Drawn]) -> Drawn:
        """Return what this draws."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, draw)

    async def report(self, report: Report) -> Drawn:
        """Return a report drawn as it is now."""
        now = utc_now()
        draw = partial(report_message, report, now)
        if report.private or age(report, now):  # nobody else is given it; it says how old it is
            return await self.draw(draw)
        if id(report) not in self._recent:
            self._keep(report, asyncio.create_task(self.draw(draw)))
        return await asyncio.shield(self._recent[id(report)][1])

    def _keep(self, report: Report, drawing: "asyncio.Task[Drawn]") -> None:
        self._recent[id(report)] = report, drawing
        while len(self._recent) > _KEPT:
            self._recent.popitem(last=False)
