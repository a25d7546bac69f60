"""The audit channel's outbox: every entry becomes a message, in order, once Slack takes it; until then it stays.

An entry counts as posted only after Slack's ok. When the answer got lost, or a bot died while it posted, it is posted
again and labelled, since a repeat does less harm in an audit than a gap. Of several bots on one database, the one with
the lease posts.
"""

import asyncio
import contextlib
from datetime import date, datetime
from functools import partial
from itertools import zip_longest

import structlog
from sqlalchemy import Engine

from bot.blocks.audit import entry_mark, entry_message
from bot.messages import Messages
from bot.seldom import Seldom
from bot.slack_api import Refusal, TooFast, Unreached
from bot.threads import Threads
from bot.waiting import backoff
from knowledge_base_agent.audit import Entry
from knowledge_base_agent.audit_outbox import end_of_day, mark_posted, mark_tried, unposted
from knowledge_base_agent.clock import utc_now
from knowledge_base_agent.problems import Problem
from knowledge_base_agent.records.row_lease import RowLease

log = structlog.get_logger()

EVERY_SECONDS = 3.0
_BATCH = 20
_WITHIN = 5.0
_LEASE = "audit-channel"
_SPOOLED_WITHIN = 0.15  # seconds until an entry about a question has been written


class AuditChannel:
    """Posts what waits, for as long as `run` runs."""

    def __init__(self, messages: Messages, engine: Engine, threads: Threads, channel: str) -> None:
        self._messages = messages
        self._engine = engine
        self._threads = threads
        self._channel = channel
        self._lease = RowLease(engine, _LEASE)
        self._nudged = asyncio.Event()
        self._maybe_posted: set[int] = set()
        self._tried: dict[int, datetime] = {}
        self._unmarked: set[int] = set()
        self._failures = 0
        self._closed_before: date | None = None
        self._seldom = Seldom()

    def nudge(self) -> None:
        """Look for entries now instead of at the next turn."""
        self._nudged.set()

    async def run(self) -> None:
        """Post entries until cancelled; then let another bot take over at once."""
        try:
            while True:
                pause = await self.post_waiting()
                if pause is None:
                    with contextlib.suppress(TimeoutError):
                        async with asyncio.timeout(EVERY_SECONDS):
                            await self._nudged.wait()
                            await asyncio.sleep(_SPOOLED_WITHIN)
                    self._nudged.clear()
                else:
                    await asyncio.sleep(pause)
        finally:
            with contextlib.suppress(Problem):  # it runs out by itself
                await self._threads.call(self._lease.release, within=_WITHIN)

    async def post_waiting(self) -> float | None:
        """Post all that waits. Returns None when nothing is left to us, or the seconds until the next try."""
        try:
            while entries := await self._waiting():
                for entry, following in zip_longest(entries, entries[1:]):
                    if not await self._ours():
                        return None
                    await self._post(entry, following)
        except TooFast as slow_down:
            return slow_down.retry_after
        except (Refusal, Unreached, Problem) as error:
            return self._failed(error)
        self._failures = 0
        return None

    async def _waiting(self) -> tuple[Entry, ...]:
        await self._mark()
        if not await self._ours():
            return ()
        await self._close_day()
        return await self._threads.call(partial(unposted, self._engine, _BATCH), within=_WITHIN)

    async def _close_day(self) -> None:
        """Write the head of a day that is over, so that it is posted although nothing else happens."""
        today = utc_now().date()
        if self._closed_before != today:
            await self._threads.call(partial(end_of_day, self._engine), within=_WITHIN)
            self._closed_before = today

    async def _ours(self) -> bool:
        """Tell whether this bot is the one that posts; asked before each entry, since Slack may be slow."""
        return await self._threads.call(self._lease.hold, within=_WITHIN)

    async def _post(self, entry: Entry, following: Entry | None) -> None:
        await self._try(entry)
        drawn = entry_message(entry, may_repeat=entry.id in self._maybe_posted)
        try:
            await self._messages.post_once(self._channel, drawn, entry_mark(entry))
        except Unreached as error:
            if not error.surely_not_done:
                self._maybe_posted.add(entry.id)
            raise
        except asyncio.CancelledError:
            self._maybe_posted.add(entry.id)
            raise
        self._maybe_posted.discard(entry.id)
        self._tried.pop(entry.id, None)
        self._unmarked.add(entry.id)
        await self._mark(following)

    async def _try(self, entry: Entry) -> None:
        """Record that an entry is about to be posted, and notice when somebody else had been about to."""
        ours = self._tried.get(entry.id)
        if ours is not None and entry.tried_at in (None, ours):
            return
        if entry.tried_at is not None:
            self._maybe_posted.add(entry.id)
        now = utc_now()
        mark = partial(mark_tried, self._engine, entry.id, now)
        await self._threads.call(mark, within=_WITHIN)
        self._tried[entry.id] = now

    async def _mark(self, following: Entry | None = None) -> None:
        """Record what Slack has taken. Kept in memory until the database has it, so that it is not posted again.

        What comes next is recorded as tried in the same transaction, unless somebody else had tried it before.
        """
        if not self._unmarked:
            return
        ids = sorted(self._unmarked)
        fresh = following if following is not None and following.tried_at is None else None
        number = fresh.id if fresh is not None else None
        now = utc_now()
        mark = partial(mark_posted, self._engine, ids, now, number)
        await self._threads.call(mark, within=_WITHIN)
        self._unmarked.clear()
        if number is not None:
            self._tried[number] = now

    def _failed(self, error: Exception) -> float:
        self._failures += 1
        self._seldom(
            log.error,
            "the audit channel does not get its entries; they are kept and tried again",
            channel=self._channel,
            reason=str(error),
        )
        return backoff(self._failures)
