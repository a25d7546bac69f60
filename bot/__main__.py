"""`python -m bot`: the bot, until SIGTERM or Ctrl-C."""

import asyncio
import gc
import signal
import sys
from collections.abc import Coroutine
from typing import Any

import structlog

from bot.allocator import keep_few_arenas
from bot.app import Bot
from bot.audit_seals import ChannelSeals
from bot.logs import configure_logs
from bot.scopes import Scopes
from knowledge_base_agent.deployment import Deployment, open_deployment
from knowledge_base_agent.problems import Problem
from knowledge_base_agent.settings import load_settings

log = structlog.get_logger()
USAGE_ERROR = 2
SWITCH_SECONDS = 0.0001
"""How long one thread may keep the interpreter while another wants it; Python's own 5 ms are a fourth of the time in
which an acknowledgement is due, and it waits for as many threads as there are before it, several times over."""

_YOUNG = (500, 4, 250)
"""New objects before the collector looks for cycles among them, and how many such looks before it looks further: it
stops every thread meanwhile, a millisecond for one or two thousand, and an acknowledgement may wait for it. Whoever
survives is looked at twice in all before it counts as old, however short the steps are."""


def main() -> int:
    """Run the bot; return 0 after a stop that was asked for, 2 when it can't start as it is set up."""
    keep_few_arenas()
    sys.setswitchinterval(SWITCH_SECONDS)
    try:
        settings = load_settings()
        configure_logs(settings.log_level)
        scopes = Scopes()
        seals = ChannelSeals()
        deployment = open_deployment(settings, slack_scopes=scopes.told, posted_seals=seals)
        try:
            asyncio.run(_serve(Bot(settings, deployment, scopes, seals), deployment))
        finally:
            deployment.close()
    except Problem as problem:
        sys.stderr.write(f"{problem.what} {problem.cure}\n")
        return USAGE_ERROR
    except OSError as error:
        sys.stderr.write(f"The bot can't listen: {error}. Set PORT to a free one.\n")
        return USAGE_ERROR
    return 0


async def _serve(bot: Bot, deployment: Deployment) -> None:
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    # Importing the Celery app takes long enough to make the first answer late, and may fail: both before we listen.
    await asyncio.to_thread(lambda: deployment.app)
    _spare_what_stays()
    try:
        await _until(stopping, bot.start())
        if not stopping.is_set():
            await _until(stopping, bot.broken())
    finally:
        log.info("stopping")
        await bot.stop()


def _spare_what_stays() -> None:
    """Let the collector pass over all that was loaded: it stays, and to look through it stops every thread for long."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_YOUNG)


async def _until(stopping: asyncio.Event, work: Coroutine[Any, Any, None]) -> None:
    """Do work until it is done or the bot is told to stop; raise what the work raises."""
    tasks = {asyncio.create_task(work), asyncio.create_task(_wait(stopping))}
    done, left = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in left:
        task.cancel()
    await asyncio.gather(*left, return_exceptions=True)
    for task in done:
        task.result()


async def _wait(stopping: asyncio.Event) -> None:
    await stopping.wait()


if __name__ == "__main__":
    sys.exit(main())
