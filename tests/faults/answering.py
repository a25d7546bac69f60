"""A bot as its own process, with a proxy before each server that it needs, and people who all ask at once."""

import asyncio
import contextlib
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.faults.proxy import Proxy, proxy_to
from tests.people import LocalSlack, slack_server
from tests.records.deployment import ROOT, environment, settings_for
from tests.seen import Message
from tests.servers import RedisSpace, Valkey, valkey_server
from tests.stories.system import PEOPLE, state_of, tokens_of
from tests.waiting import wait_until

ACKNOWLEDGED_MS = 1_000
ANSWERED_SECONDS = 5.0
_CHANNEL = "#ops"
_NO_ANSWER = "takes longer than usual"


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What came of words that were typed at once."""

    answers: tuple[Message, ...]
    slowest_ack_ms: float
    took: float

    @property
    def shown(self) -> str:
        """Everything that was answered."""
        return "\n---\n".join(message.shown for message in self.answers)


@dataclass(frozen=True, kw_only=True)
class Ground:
    """A bot that runs, what it stands on, and the proxies in between."""

    slack_url: str
    bot: subprocess.Popen[bytes]
    database_url: str
    main: Valkey
    """The broker, progress and logs."""
    results: Valkey
    to_main: Proxy
    to_results: Proxy


@dataclass(frozen=True, kw_only=True)
class People:
    """People in the bot's Slack, who ask all at once and look at the answers."""

    slack: LocalSlack

    async def asks(
        self,
        words: Sequence[str],
        *,
        people: Sequence[str] = ("otto", "ada", "anika"),
        within: float = ANSWERED_SECONDS,
    ) -> Asked:
        """Type all words at once, and wait until each has its answer; fails when one is late."""
        before = int((await self.slack.get("state"))["latest_change"])
        began = time.monotonic()
        typed = [
            self.slack.do(
                "command", user=people[n % len(people)], channel=_CHANNEL, text=f"/kb {one}"
            )
            for n, one in enumerate(words)
        ]
        acks = await asyncio.gather(*typed)
        assert all(ack["delivered"] for ack in acks), f"not acknowledged: {acks}"
        slowest = max(float(ack["acked_in_ms"]) for ack in acks)
        assert slowest < ACKNOWLEDGED_MS, f"an acknowledgement took {slowest:.0f} ms"
        found: tuple[Message, ...] = ()
        while len(found) < len(words):
            took = time.monotonic() - began
            assert took < within, _missing(words, found, within)
            await asyncio.sleep(0.2)
            found = await self._answers(before, people)
        return Asked(answers=found, slowest_ack_ms=slowest, took=time.monotonic() - began)

    async def _answers(self, since: int, people: Sequence[str]) -> tuple[Message, ...]:
        found: dict[str, Message] = {}
        for one in people:
            for message in await self.slack.person(one).looks(in_=_CHANNEL):
                if message.change > since and _NO_ANSWER not in message.shown:
                    found[f"{message.ts} {one if message.is_ephemeral else ''}"] = message
        return tuple(found.values())


def _missing(words: Sequence[str], found: Sequence[Message], within: float) -> str:
    shown = "\n---\n".join(message.text[:300] for message in found)
    return (
        f"{len(found)} of {len(words)} were answered within {within} s. "
        f"Asked: {', '.join(words[:20])}. Answers:\n{shown}"
    )


@contextlib.contextmanager
def bot_process(
    variables: dict[str, str], slack_url: str, folder: Path
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a bot in a local Slack, with the variables of its deployment."""
    more = PEOPLE | tokens_of(slack_url) | {"SLACK_API_URL": f"{slack_url}/api/"}
    more |= {"CELERY_APP": "tests.records.history_app", "KB_DATA_DIR": str(folder)}
    variables = {k: v for k, v in variables.items() if "proxy" not in k.lower()} | more
    with (folder / "bot.log").open("ab") as log:
        bot = subprocess.Popen(
            [sys.executable, "-m", "bot"], env=variables, cwd=ROOT, stdout=log, stderr=log
        )
    try:
        yield bot
    finally:
        bot.kill()
        bot.wait()


@contextlib.contextmanager
def ground(folder: Path, database_url: str, reached_by: str = "") -> Iterator[Ground]:
    """Start two Valkeys, their proxies, a local Slack and the bot, and end them.

    `reached_by` is the address at which the bot finds the database, if not its own.
    """
    with contextlib.ExitStack() as open_:
        main, results = (open_.enter_context(valkey_server()) for _ in range(2))
        to_main, to_results = (open_.enter_context(proxy_to(one.url(0))) for one in (main, results))
        space = RedisSpace(
            broker_url=to_main.url(main.url(0)),
            progress_url=to_main.url(main.url(1)),
            logs_url=to_main.url(main.url(2)),
            result_url=to_results.url(results.url(0)),
        )
        slack_url = open_.enter_context(slack_server())
        variables = environment(settings_for(space, reached_by or database_url))
        bot = open_.enter_context(bot_process(variables, slack_url, folder))
        wait_until(
            lambda: state_of(slack_url)["connections"],
            within=30,
            what=f"the bot connects; see {folder}/bot.log",
        )
        yield Ground(
            slack_url=slack_url, bot=bot, database_url=database_url, main=main, results=results,
            to_main=to_main, to_results=to_results,
        )  # fmt: skip
