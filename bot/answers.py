"""One answer for all who ask the same at the same moment: only the first of them holds a thread while it is read."""

import asyncio
import time
from collections.abc import Hashable
from dataclasses import dataclass
from functools import partial

from bot.threads import Threads
from knowledge_base_agent.problems import Problem
from knowledge_base_agent.report import Report
from knowledge_base_agent.requests import Request
from knowledge_base_agent.runner import Runner

JOINED_SECONDS = 0.25
"""Who asks so soon after another's answer was begun gets that one, as long as it is on its way."""
_CROWD = 3
"""Of so many who ask the same within that time, all get it, though it has arrived: no person asks so fast, and what
has just been told to a crowd is as new to the next of them."""


@dataclass(kw_only=True)
class _Way:
    """An answer that is being read or has just been; times are by `time.monotonic()`."""

    began: float
    until: float
    outcome: "asyncio.Task[Report]"
    asked: float
    """When it was asked for last."""
    crowd: int
    """How many have asked for the same, each within a moment of the one before."""

    def takes(self, now: float, within: float) -> bool:
        """Tell whether somebody may join who asks now and waits so long."""
        if now - self.began > JOINED_SECONDS:
            return False
        return self.crowd >= _CROWD if self.outcome.done() else self.until <= now + within

    def crowd_at(self, now: float) -> int:
        """Return how many they are with somebody who asks now."""
        return self.crowd + 1 if now - self.asked <= JOINED_SECONDS else 1


class Answers:
    """Answers what only looks. Each who asks is admitted and recorded on their own, whoever reads for them.

    Two hundred who look at a silent broker would hold every thread until their deadlines, and whatever could be
    answered at once would wait behind them.
    """

    def __init__(self, runner: Runner, threads: Threads) -> None:
        self._runner = runner
        self._threads = threads
        self._ways: dict[Hashable, _Way] = {}

    async def of(self, request: Request, within: float) -> Report:
        """Return the answer, within so many seconds. Raises `Refused` and every other `Problem`."""
        self._runner.admit(request)
        if request.arguments.wants_raw:  # shown to one person, and recorded before
            return await self._read(request, within)
        key = (request.operation.name, request.arguments)
        way, now = self._ways.get(key), time.monotonic()
        crowd = way.crowd_at(now) if way is not None else 1
        if way is not None and way.takes(now, within):
            way.asked, way.crowd = now, crowd
            return await self._along(request, way)
        outcome = asyncio.create_task(self._read(request, within))
        way = _Way(began=now, until=now + within, outcome=outcome, asked=now, crowd=crowd)
        self._ways[key] = way
        outcome.add_done_callback(partial(self._arrived, key, way))
        return await asyncio.shield(outcome)

    def forget(self) -> None:
        """Let nobody join what is on its way: something has been changed since it was begun."""
        self._ways.clear()

    async def _read(self, request: Request, within: float) -> Report:
        found = await self._threads.call(partial(self._runner.ask, request), within=within)
        if not isinstance(found, Report):
            raise TypeError(f"{request.operation.name} does more than look")
        return found

    async def _along(self, request: Request, way: _Way) -> Report:
        self._runner.asks_along(request)
        try:
            report = await asyncio.shield(way.outcome)
        except Problem as problem:
            self._runner.told_along(request, problem)
            raise
        self._runner.told_along(request, report)
        return report

    def _arrived(self, key: Hashable, way: _Way, outcome: "asyncio.Task[Report]") -> None:
        outcome.get_loop().call_later(JOINED_SECONDS, self._drop, key, way)
        if not outcome.cancelled():
            outcome.exception()  # whoever waits for it gets it; where nobody does any more, it is not lost but theirs

    def _drop(self, key: Hashable, way: _Way) -> None:
        if self._ways.get(key) is way:
            del self._ways[key]
