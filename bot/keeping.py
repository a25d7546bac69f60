"""Calls the keeper every few seconds for as long as the bot lives: what is paused and revoked stays so."""

import asyncio
import time

import structlog

from bot.threads import Threads
from knowledge_base_agent.deployment import Deployment
from knowledge_base_agent.keeping import Keeper
from knowledge_base_agent.problems import Problem

log = structlog.get_logger()

EVERY_SECONDS = 2.0
_SAID_EVERY = 60.0


class Keeping:
    """The loop around one keeper."""

    def __init__(self, deployment: Deployment) -> None:
        self._keeper = Keeper(deployment=deployment)
        self._threads = Threads(1, "kb-keep")
        self._said_at = -_SAID_EVERY

    async def run(self) -> None:
        """Keep until cancelled."""
        while True:
            await self.once()
            await asyncio.sleep(EVERY_SECONDS)

    async def once(self) -> None:
        """Do what is due and log it. While database or broker are away nothing can be kept, which is said seldom."""
        try:
            for done in await self._threads.call(self._keeper.keep):
                log.info("kept", what=done)
        except Problem as problem:
            self._seldom("nothing could be kept", reason=problem.what)
        except Exception:
            # A defect of ours here must not take the bot from those who need it most at such a moment.
            log.exception("the keeper broke off")

    def _seldom(self, event: str, **more: str) -> None:
        if time.monotonic() - self._said_at >= _SAID_EVERY:
            self._said_at = time.monotonic()
            log.warning(event, **more)
