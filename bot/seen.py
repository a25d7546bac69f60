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


class Seen:
    """Remembers events here and, with other bots and across restarts, in the database."""

    def __init__(self, runner: Runner, threads: Threads) -> None:
        self._runner = runner
        self._threads = threads
        self._here: OrderedDict[str, float] = OrderedDict()

    async def first_time(self, event_id: str) -> bool:
        """Tell whether this event is new. While the database is away, this process's own memory has to do.

        A repeated confirmation is caught by its claim as well, whatever is answered here.
        """
        if event_id in self._here:
            return False
        self._here[event_id] = time.monotonic()
        while len(self._here) > _KEPT:
            self._here.popitem(last=False)
        try:
            return await self._threads.call(
                partial(self._runner.first_time, event_id), within=_WITHIN
            )
        except Problem as problem:
            log.warning("an event is only remembered here", reason=problem.what)
            return True
