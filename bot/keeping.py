"""Calls the keeper every few seconds for as long as the bot lives: what is paused and revoked stays so."""

import asyncio

import structlog

from bot.seldom import Seldom
from bot.threads import Threads
from knowledge_base_agent.deployment import Deployment
from knowledge_base_agent.keeping import Keeper
from knowledge_base_agent.problems import Problem

log = structlog.get_logger()

EVERY_SECONDS = 2.0


class Keeping:
    """The loop around one keeper."""

    def __init__(self, deployment: Deployment) -> None:
        self._keeper = Keeper(deployment=deployment)
        self._threads = Threads(1, "kb-keep")
        self._seldom = Seldom()

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
            self._seldom(log.warning, "nothing could be kept", reason=problem.what)
        except Exception:
            # A defect of ours here must not take the bot from those who need it most at such a moment.
            log.exception("the keeper broke off")
