"""Events that came before. Slack and Bolt deliver the same payload twice now and then."""

import asyncio
import time
from collections import OrderedDict
from dataclasses import dataclass, field
from functools import partial

import structlog

from bot.threads import Threads
from knowledge_base_agent.problems import Problem
from knowledge_base_agent.runner import Runner

log = structlog.get_logger()
_KEPT = 2_000
WITHIN = 1.0
"""Seconds that one question to the database may take: two statements to a server that is far, or slow, but there."""
ASKED_AGAIN_AFTER = 1.0
"""Seconds for which a database that did not answer is not asked again: a question that nobody answers costs each event
so long, and the bot more than all that it could still do for it."""


@dataclass(kw_only=True, eq=False)
class _Question:
    """What is asked of the database together. Its answer has those that are new."""

    ids: list[str] = field(default_factory=list)
    answer: "asyncio.Task[frozenset[str]]"


class Seen:
    """Remembers events here and, with other bots and across restarts, in the database.

    One question is on its way at a time, and what comes meanwhile is the next: so a burst waits for two at most, and
    how long one takes tells a slow database from a silent one.
    """

    def __init__(self, runner: Runner, threads: Threads) -> None:
        self._runner = runner
        self._threads = threads
        self._here: OrderedDict[str, None] = OrderedDict()
        self._ask_at = 0.0
        self._only_here = 0
        self._next: _Question | None = None
        self._last: asyncio.Task[frozenset[str]] | None = None

    async def first_time(self, event_id: str) -> bool:
        """Tell whether this event is new. While the database is away, this process's own memory has to do.

        A repeated confirmation is caught by its claim as well, whatever is answered here.
        """
        if event_id in self._here:
            return False
        self._here[event_id] = None
        if len(self._here) > _KEPT:
            self._here.popitem(last=False)
        # One asks whether it is there again, and those that come meanwhile do not wait for that.
        if self._only_here and (self._before() is not None or time.monotonic() < self._ask_at):
            self._only_here += 1
            return True
        question = self._next or self._begin()
        question.ids.append(event_id)
        return event_id in await asyncio.shield(question.answer)

    def _before(self) -> "asyncio.Task[frozenset[str]] | None":
        """Return the question that is on its way or about to be, if there is one."""
        return self._last if self._last is not None and not self._last.done() else None

    def _begin(self) -> _Question:
        self._last = asyncio.create_task(self._ask_after(self._before()))
        self._next = _Question(answer=self._last)
        return self._next

    async def _ask_after(self, before: "asyncio.Task[frozenset[str]] | None") -> frozenset[str]:
        if before is not None:
            await asyncio.wait({before})
        ids = self._next.ids if self._next is not None else []
        self._next = None
        if before is not None and self._only_here:  # that was not answered, so this would not be
            self._only_here += len(ids)
            return frozenset(ids)
        return await self._asked(ids)

    async def _asked(self, ids: list[str]) -> frozenset[str]:
        ask = partial(self._runner.first_seen, ids)
        try:
            first = await self._threads.call(ask, within=WITHIN, late=self._answered)
        except Problem as problem:
            if not self._only_here:
                log.warning("events are only remembered here", reason=problem.what)
            self._only_here += len(ids)
            self._ask_at = time.monotonic() + ASKED_AGAIN_AFTER
            return frozenset(ids)
        self._answered(first)
        return first

    def _answered(self, _first: frozenset[str]) -> None:
        """Note that it answers, in time or late."""
        if self._only_here:
            log.info("events are remembered in the database again", only_here=self._only_here)
            self._only_here = 0
