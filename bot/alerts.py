"""Watches, keeps the alert channel at what the alerts' rows say, and runs the schedules: by one bot at a time.

Rows are the truth and the channel follows: what Slack does not take now stays in its row, and is tried again in order.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import TypeVar

import structlog
from sqlalchemy import Engine

from bot.blocks.alert import alert_message, reminder_message
from bot.blocks.drawn import Drawn
from bot.blocks.report import report_message
from bot.messages import Messages, Place, Posted
from bot.metrics import Watched
from bot.seldom import Seldom
from bot.slack_api import Refusal, TooFast, Unreached
from bot.threads import Threads
from bot.waiting import backoff
from knowledge_base_agent.clock import utc_now
from knowledge_base_agent.deployment import Deployment
from knowledge_base_agent.problems import Problem
from knowledge_base_agent.records import alerts_outbox as outbox
from knowledge_base_agent.records.alerts import Alert, State
from knowledge_base_agent.report import Report
from knowledge_base_agent.runner import Runner
from knowledge_base_agent.watching.schedules import (
    Schedule,
    claim_due,
    run_schedule,
    schedules_of,
)
from knowledge_base_agent.watching.watcher import Watcher

T = TypeVar("T")
log = structlog.get_logger()

EVERY_SECONDS = 1.0
"""How soon the channel follows what somebody did with an alert, here or in another bot."""
_CHECK_WITHIN = 30.0
_WITHIN = 5.0


class Alerts:
    """One bot's share in the watching, for as long as `run` runs."""

    def __init__(
        self, messages: Messages, runner: Runner, deployment: Deployment, threads: Threads
    ) -> None:
        settings = deployment.settings
        self._messages = messages
        self._runner = runner
        self._engine: Engine = deployment.engine
        self._threads = threads
        self._checks = Threads(1, "kb-check")  # a watcher does one thing at a time
        self._watcher = Watcher(deployment)
        self._channel = settings.alert_channel or ""
        self._every = settings.watch_seconds
        self._schedules = schedules_of(settings)
        self._may_change = settings.maintenance_may_change
        self._reports: deque[Report] = deque()
        self._runs: set[asyncio.Task[None]] = set()
        self._maybe_posted: set[int] = set()
        self._shown: dict[int, tuple[Alert, Posted]] = {}
        self._leads = False
        self._failures = 0
        self._not_before = 0.0
        self._seldom = Seldom()

    def watched(self) -> Watched:
        """Return what `/metrics` tells."""
        return Watched(
            watching=self._leads,
            reading=self._watcher.latest,
            open_alerts=self._watcher.open_alerts,
        )

    async def run(self) -> None:
        """Check and deliver until cancelled."""
        checked_at = time.monotonic()
        while True:
            await asyncio.sleep(min(EVERY_SECONDS, self._every))
            if time.monotonic() - checked_at >= self._every:
                checked_at = time.monotonic()
                await self.check()
            if self._leads:
                await self._begin_what_is_due()
                await self.deliver()

    async def check(self) -> None:
        """Look once, if this bot is the one that watches."""
        try:
            found = await self._checks.call(self._watcher.check, within=_CHECK_WITHIN)
        except Problem as problem:
            self._leads = False
            self._seldom(log.warning, "nothing could be watched", reason=problem.what)
        except Exception:
            # A defect of ours, or an answer that nobody thought of: it must not end the bot that people need now.
            self._leads = False
            log.exception("a check broke off")
        else:
            self._leads = found is not None

    async def release(self) -> None:
        """Let another bot watch at once; this one stops."""
        if not self._leads:
            return
        self._leads = False
        try:
            await self._checks.call(self._watcher.release, within=_WITHIN)
        except Problem as problem:
            log.info("the watch ends by itself in a few seconds", reason=problem.what)

    async def deliver(self) -> None:
        """Bring the channel up to date, oldest alert first, as far as Slack takes it."""
        if not self._channel or time.monotonic() < self._not_before:
            return
        try:
            await self._mark()
            for alert in await self._call(partial(outbox.undelivered, self._engine)):
                await self._show(alert)
            while self._reports:
                await self._post_report(self._reports[0])
                self._reports.popleft()
        except TooFast as slow_down:
            self._not_before = time.monotonic() + slow_down.retry_after
        except (Refusal, Unreached, Problem) as error:
            self._failures += 1
            self._not_before = time.monotonic() + backoff(self._failures)
            self._seldom(
                log.warning, "the alert channel is behind; it is tried again", reason=str(error)
            )
        else:
            self._failures = 0

    async def _show(self, alert: Alert) -> None:
        if not alert.message:
            return await self._post(alert)
        posted = Posted(channel=alert.channel, message=alert.message)
        try:
            await self._messages.update(posted, await _drawn(alert))
            if alert.reminder_due:
                place = Place(channel=alert.channel, user="", thread=alert.message)
                await self._messages.post(place, reminder_message(alert))
        except Refusal as error:
            if error.code == "message_not_found" and alert.state is not State.RESOLVED:
                return await self._call(partial(outbox.message_gone, self._engine, alert))
            # It can't be edited for good: the next revision is tried again, and this one holds up no other alert.
            log.warning("an alert's message can't follow it", alert=alert.id, code=error.code)
        return await self._record(alert, posted)

    async def _post(self, alert: Alert) -> None:
        """Post an alert's message: claimed in its row before, so that no other bot does it too."""
        again = alert.number in self._maybe_posted or alert.posting_since is not None
        if not await self._call(partial(outbox.claim_post, self._engine, alert)):
            return
        drawn = await _drawn(alert, may_repeat=again)
        try:
            posted = await self._messages.post_once(self._channel, drawn)
        except Unreached as error:
            if error.surely_not_done:
                await self._give_back(alert)
            else:
                self._maybe_posted.add(alert.number)
            raise
        except (Refusal, TooFast):
            await self._give_back(alert)
            raise
        self._maybe_posted.discard(alert.number)
        await self._record(alert, posted)

    async def _give_back(self, alert: Alert) -> None:
        await self._call(partial(outbox.give_back_post, self._engine, alert))

    async def _record(self, alert: Alert, posted: Posted) -> None:
        """Record what the channel shows; kept in memory until the database has it, so that nothing is posted twice."""
        self._shown[alert.number] = (alert, posted)
        await self._mark()

    async def _mark(self) -> None:
        for number, (alert, posted) in list(self._shown.items()):
            channel, message = posted.channel, posted.message
            shown = partial(outbox.shown, self._engine, alert, channel=channel, message=message)
            await self._call(shown)
            del self._shown[number]

    async def _post_report(self, report: Report) -> None:
        drawn = await asyncio.to_thread(report_message, report, utc_now())
        await self._messages.post_once(self._channel, drawn)

    async def _begin_what_is_due(self) -> None:
        for schedule in self._schedules:
            try:
                due = await self._call(partial(claim_due, self._engine, schedule, utc_now()))
            except Problem as problem:
                self._seldom(log.warning, "no schedule could be begun", reason=problem.what)
                return
            if due:
                work = asyncio.create_task(self._run(schedule), name=schedule.name)
                self._runs.add(work)
                work.add_done_callback(self._runs.discard)

    async def _run(self, schedule: Schedule) -> None:
        run = partial(run_schedule, self._runner, schedule, may_change=self._may_change)
        try:
            report = await self._threads.call(run)
        except Exception:
            # A defect of ours; what it did until then is in the audit, and the next moment is tried again.
            log.exception("a schedule broke off", words=schedule.words)
            return
        log.info("a schedule has run", words=schedule.words, succeeded=report.succeeded)
        self._reports.append(report)

    async def _call(self, function: Callable[[], T]) -> T:
        return await self._threads.call(function, within=_WITHIN)


async def _drawn(alert: Alert, *, may_repeat: bool = False) -> Drawn:
    return await asyncio.to_thread(alert_message, alert, may_repeat=may_repeat)
