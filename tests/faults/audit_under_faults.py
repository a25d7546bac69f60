"""Audit entries on their way to the channel while Slack fails in every way it has and bots die: is one lost?

`audit_under_faults` counts. What it does is random and comes from a seed: any failure replays from it. A bot that dies
is an outbox that is cancelled in the middle and replaced by a new one, which knows only what the database knows.
"""

import asyncio
import random
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from sqlalchemy import Engine

from bot.audit_channel import AuditChannel
from bot.blocks.audit import REPEAT
from bot.messages import Messages
from bot.scopes import Scopes
from bot.slack_api import SlackApi
from bot.slack_client import open_client
from bot.threads import Threads
from knowledge_base_agent.actors import Actor, Surface
from knowledge_base_agent.audit import Kind, entry_of, write
from knowledge_base_agent.audit_outbox import unposted
from knowledge_base_agent.records.audit_chain import read_head
from knowledge_base_agent.records.database import open_engine, reading, writing
from tests.people import LocalSlack, local_slack
from tests.waiting import await_until

CHANNEL, NAME = "C0KBAUDIT", "#kb-audit"
OTTO = Actor(id="U0OTTO000", name="otto", surface=Surface.SLACK)
_NUMBER = re.compile(r"· entry ([0-9,]+)$")
_DEADLINE_SECONDS = 60.0


@dataclass(kw_only=True)
class Outcome:
    """What became of the entries. `lost`, `unlabelled` and `out_of_order` must be 0."""

    seed: int
    entries: int = 0
    """How many were written, heads included."""
    messages: int = 0
    lost: int = 0
    repeats: int = 0
    unlabelled: int = 0
    """Repeats that do not say that they may be one."""
    out_of_order: int = 0
    faults: dict[str, int] = field(default_factory=dict)

    @property
    def sound(self) -> bool:
        """Whether nothing happened that must never happen."""
        return not (self.lost or self.unlabelled or self.out_of_order)


async def audit_under_faults(database_url: str, *, count: int, seed: int) -> Outcome:
    """Write at least `count` entries into a migrated database, and post them to a local Slack that fails.

    What was in the database before must have been posted already.
    """
    outcome = Outcome(seed=seed)
    async with local_slack() as slack:
        engine = open_engine(database_url)
        try:
            before = _newest(engine)
            await _Ordeal(slack, engine, outcome).go(count)
            outcome.entries = _newest(engine) - before
            await _judge(slack, outcome, before)
        finally:
            engine.dispose()
    return outcome


def _newest(engine: Engine) -> int:
    with reading(engine) as connection:
        return read_head(connection).number


class _Ordeal:
    """One run: entries come, Slack fails, bots die."""

    def __init__(self, slack: LocalSlack, engine: Engine, outcome: Outcome) -> None:
        self._slack = slack
        self._engine = engine
        self._outcome = outcome
        self._random = random.Random(outcome.seed)
        self._threads = Threads(4, "ordeal")
        api = SlackApi(open_client(slack.api_url, slack.bot_token, slack.session), Scopes())
        self._messages = Messages(api, slack.session, slack.api_url, None)
        self._outbox = self._fresh()

    def _fresh(self) -> AuditChannel:
        return AuditChannel(self._messages, self._engine, self._threads, CHANNEL)

    async def go(self, count: int) -> None:
        """Go on until so many entries are written and all are posted."""
        written = 0
        while written < count:
            some = self._random.randint(1, 25)
            self._write(written, some)
            written += some
            await self._trouble()
        await self._until_posted()

    def _write(self, first: int, some: int) -> None:
        with writing(self._engine) as connection:
            entries = [
                entry_of(OTTO, Kind.REQUESTED, "stats", words=f"stats {n}", detail="· entry 1 ·")
                for n in range(first, first + some)
            ]
            write(connection, *entries)

    async def _trouble(self) -> None:
        ways: list[Callable[[], Awaitable[None]]] = [
            self._fails_for_now, self._fails_for_now, self._fails_for_now, self._out_of_the_channel,
            self._archived, self._deleted, self._bot_dies, self._bot_dies, self._database_locked,
        ]  # fmt: skip
        way = self._random.choice(ways)
        name = way.__name__.removeprefix("_").replace("_", " ")
        self._outcome.faults[name] = self._outcome.faults.get(name, 0) + 1
        await way()
        await self._outbox.post_waiting()

    async def _fails_for_now(self) -> None:
        for _ in range(self._random.randint(1, 3)):
            how = self._random.choice(["429", "500", "hang", "drop", "drop_after", "error"])
            more = {"retry_after": 0, "seconds": 0.05, "error": "service_unavailable"}
            times = self._random.randint(1, 3)
            await self._slack.fails("chat.postMessage", how, times=times, **more)
            await self._outbox.post_waiting()

    async def _out_of_the_channel(self) -> None:
        async with self._until_mended("membership", user="kb", member=(False, True)):
            await self._outbox.post_waiting()

    async def _archived(self) -> None:
        async with self._until_mended("channel", archived=(True, False)):
            await self._outbox.post_waiting()

    async def _deleted(self) -> None:
        async with self._until_mended("channel", deleted=(True, False)):
            await self._outbox.post_waiting()

    @asynccontextmanager
    async def _until_mended(self, deed: str, **asked: object) -> AsyncIterator[None]:
        for step in (0, 1):
            values = {k: v[step] if isinstance(v, tuple) else v for k, v in asked.items()}
            await self._slack.do(deed, channel=CHANNEL, **values)
            if step == 0:
                yield

    async def _bot_dies(self) -> None:
        """End the outbox at any moment, and let another take over that shares nothing with it."""
        posting = asyncio.create_task(self._outbox.post_waiting())
        await asyncio.sleep(self._random.uniform(0.0, 0.08))
        posting.cancel()
        await asyncio.gather(posting, return_exceptions=True)
        # What a thread of the dead one had begun ends before its lease does.
        await await_until(lambda: not self._threads.busy, what="its threads end")
        self._outbox._lease.release()
        self._outbox = self._fresh()

    async def _database_locked(self) -> None:
        """Hold SQLite's write lock, or on PostgreSQL the rows that are to be marked."""
        with writing(self._engine) as connection:
            read_head(connection, hold=True)
            posting = asyncio.create_task(self._outbox.post_waiting())
            await asyncio.sleep(self._random.uniform(0.0, 0.1))
        await posting

    async def _until_posted(self) -> None:
        async with asyncio.timeout(_DEADLINE_SECONDS):
            while unposted(self._engine, 1):
                await self._outbox.post_waiting()


async def _judge(slack: LocalSlack, outcome: Outcome, before: int) -> None:
    seen: set[int] = set()
    for message in await slack.person("ada").looks(in_=NAME):
        found = _NUMBER.search(message.text)
        assert found, message.text
        number = int(found[1].replace(",", ""))
        outcome.messages += 1
        if number in seen:
            outcome.repeats += 1
            outcome.unlabelled += REPEAT not in message.text
        elif number != before + len(seen) + 1:
            outcome.out_of_order += 1
        seen.add(number)
    outcome.lost = len(set(range(before + 1, before + outcome.entries + 1)) - seen)
