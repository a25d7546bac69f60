"""Row 3 over Socket Mode: how long the local Slack waits for an acknowledgement by ours, by Bolt, and by a floor."""

import asyncio
import contextlib
import os
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

from bench.grounds import space, sqlite
from bench.measuring import Timing
from bench.rows import Outcome, Row, Scale, at_most, milliseconds
from tests.faults.answering import bot_process
from tests.fleet.running import ROOT
from tests.people import LocalSlack, local_slack, slack_server
from tests.records.deployment import environment, settings_for
from tests.servers import RedisSpace
from tests.stories.system import tokens_of

_PAUSE = 0.03
"""Seconds after each command, in which the program does what it was asked for: that is not what is measured."""
_NAMES = ("ours", "bare aiohttp", "Bolt's own handler")


@contextlib.contextmanager
def _counterpart(name: str, slack_url: str) -> Iterator[None]:
    command = [sys.executable, "-m", "bench.socket_counterparts", name, f"{slack_url}/api/"]
    here = {key: value for key, value in os.environ.items() if "proxy" not in key.lower()}
    quiet = subprocess.DEVNULL
    process = subprocess.Popen(
        command, cwd=ROOT, env=here | tokens_of(slack_url), stdout=quiet, stderr=quiet
    )
    try:
        yield
    finally:
        process.kill()
        process.wait()


@contextlib.contextmanager
def _ours(slack_url: str, ground: RedisSpace, database_url: str) -> Iterator[None]:
    variables = environment(settings_for(ground, database_url))
    variables |= {"KB_RATE_PER_MINUTE": "10000000", "KB_LOG_LEVEL": "CRITICAL"}
    with (
        tempfile.TemporaryDirectory(prefix="kb-bench-") as folder,
        bot_process(variables, slack_url, Path(folder)),
    ):
        yield


@contextlib.asynccontextmanager
async def _workspaces() -> AsyncIterator[dict[str, LocalSlack]]:
    """Start a Slack for each program, and wait until each is connected to its own."""
    async with contextlib.AsyncExitStack() as stack:
        ground, url = stack.enter_context(space()), stack.enter_context(sqlite())
        found: dict[str, LocalSlack] = {}
        for name in _NAMES:
            slack_url = stack.enter_context(slack_server())
            found[name] = await stack.enter_async_context(local_slack(slack_url))
            if name == "ours":
                stack.enter_context(_ours(slack_url, ground, url))
            else:
                short = "bare" if name == "bare aiohttp" else "bolt"
                stack.enter_context(_counterpart(short, slack_url))
            await found[name].app_connects(within=60)
        yield found


async def _types(slack: LocalSlack, words: str) -> float:
    """Type a command; return the seconds from the envelope's sending to its acknowledgement, by Slack's clock."""
    answer = await slack.do("command", user="otto", channel="#ops", text=f"/kb {words}")
    assert answer["delivered"], answer
    await asyncio.sleep(_PAUSE)
    return float(answer["acked_in_ms"]) / 1000


async def _measured(rounds: int) -> tuple[dict[str, Timing], Timing]:
    took: dict[str, list[float]] = {name: [] for name in _NAMES}
    async with _workspaces() as slacks:
        for number in range(-3, rounds):
            for name, slack in slacks.items():
                seconds = await _types(slack, "help")
                if number >= 0:
                    took[name].append(seconds)
        many = [await _types(slacks["ours"], f"word{n % 100}") for n in range(rounds)]
    timings = {name: Timing(seconds=tuple(found)) for name, found in took.items()}
    return timings, Timing(seconds=tuple(many))


def _acknowledging(scale: Scale) -> Outcome:
    found, many = asyncio.run(_measured(scale.choose(200, 20)))
    median, floor = found["ours"].median, found["bare aiohttp"].median
    return Outcome(
        figures=(
            *(milliseconds(f"{name}, median", one.median) for name, one in found.items()),
            *(milliseconds(f"{name}, p95", one.p95) for name, one in found.items()),
            milliseconds("ours, a hundred subcommands, median", many.median),
        ),
        goals=(
            at_most("median of the floor", median / floor, 2, smoke=6),
            at_most("a hundred subcommands of one", many.median / median, 1.2, smoke=3),
        ),
        notes=("Each program has a local Slack of its own; it is this Slack that measures.",),
    )


SOCKET = Row(number=3, title="The same over Socket Mode", run=_acknowledging)
