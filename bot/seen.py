"""Events that came before. Slack and Bolt deliver the same payload twice now and then."""

import time
from collections import OrderedDict
from functools import partial

import structlog

from bot.threads import Threads
from knowledge_base_agent.problems import Problem
from knowledge_base_agent.runner import Runner

log = structlog.get_logger()
_KEPT = 2_000
_WITHIN = 0.5
ASKED_AGAIN_AFTER = 1.0
"""Seconds for which a database that did not answer is not asked again: a question that nobody answers costs each event
half a second, and the bot more than all that it could still do for it."""


class Seen:
    """Remembers events here and, with other bots and across restarts, in the database."""

    def __init__(self, runner: Runner, threads: Threads) -> None:
        self._runner = runner
        self._threads = threads
        self._here: OrderedDict[str, None] = OrderedDict()
        self._ask_at = 0.0
        self._only_here = 0

    async def first_time(self, event_id: str) -> bool:
        """Tell whether this event is new. While the database is away, this process's own memory has to do.

        A repeated confirmation is caught by its claim as well, whatever is answered here.
        """
        if event_id in self._here:
            return False
        self._here[event_id] = None
        if len(self._here) > _KEPT:
            self._here.popitem(last=False)
        now = time.monotonic()
        if self._only_here and now < self._ask_at:
            self._only_here += 1
            return True
        self._ask_at = (
            now + ASKED_AGAIN_AFTER
        )  # one asks, and those that come meanwhile do not wait for it
        return await self._asked(event_id)

    async def _asked(self, event_id: str) -> bool:
        try:
            first = await self._threads.call(
                partial(self._runner.first_time, event_id), within=_WITHIN
            )
        except Problem as problem:
            if not self._only_here:
                log.warning("events are only remembered here", reason=problem.what)
            self._only_here += 1
            return True
        if self._only_here:
            log.info("events are remembered in the database again", only_here=self._only_here)
            self._only_here = 0
        return first
