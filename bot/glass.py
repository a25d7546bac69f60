"""Tells of those who break the glass: loudly in the alert channel, to them when they may go on, and how it ended."""

import time
from datetime import timedelta
from functools import partial

import structlog

from bot.blocks.drawn import Drawn
from bot.blocks.two_people import alarm_message, open_message
from bot.desk import Desk
from bot.messages import Posted
from bot.seldom import Seldom
from bot.slack_api import Refusal, TooFast, Unreached
from bot.waiting import backoff
from knowledge_base_agent.clock import utc_now
from knowledge_base_agent.glass import Alarm, Told

log = structlog.get_logger()
_WITHIN = 5.0
_PAUSE = 10.0
_TRIED_FOR = timedelta(hours=1)
"""How long after the end of its preview an alarm is still tried; by then the audit has long told of it."""


class GlassAlarms:
    """Tells what is due, whenever `once` is called. What Slack does not take stays in its row, and is due again."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._told: dict[str, tuple[Alarm, Posted | None]] = {}
        self._failures = 0
        self._not_before = 0.0
        self._seldom = Seldom()

    async def once(self) -> None:
        """Tell what is due. Raises `Problem` while the database is away."""
        await self._mark()
        if time.monotonic() < self._not_before:
            return
        for alarm in await self._desk.questions.call(self._desk.runner.alarms_due, within=_WITHIN):
            try:
                posted = await self._tell(alarm)
            except (Refusal, TooFast, Unreached) as error:
                await self._failed(alarm, error)
                continue
            self._failures = 0
            # Kept here until the database has it: it may be away just now, and nothing is to be told twice for that.
            self._told[alarm.confirmation.id] = (alarm, posted)
            await self._mark()

    async def _mark(self) -> None:
        for key, (alarm, posted) in list(self._told.items()):
            where = {"channel": posted.channel, "message": posted.message} if posted else {}
            told = partial(self._desk.runner.alarm_told, alarm, **where)
            await self._desk.questions.call(told, within=_WITHIN)
            del self._told[key]

    async def _failed(self, alarm: Alarm, error: Exception) -> None:
        self._failures += 1
        pause = (
            error.retry_after
            if isinstance(error, TooFast)
            else backoff(self._failures, longest=_PAUSE)
        )
        self._not_before = time.monotonic() + pause
        words = alarm.confirmation.words
        self._seldom(log.warning, "an alarm waits for Slack", words=words, why=str(error))
        if utc_now() > alarm.confirmation.expires_at + _TRIED_FOR:
            log.error("an alarm reached nobody", words=words, why=str(error))
            self._told[alarm.confirmation.id] = (alarm, None)
            await self._mark()
        elif not isinstance(error, Unreached) or error.surely_not_done:
            untold = partial(self._desk.runner.alarm_untold, alarm)
            await self._desk.questions.call(untold, within=_WITHIN)

    async def _tell(self, alarm: Alarm) -> Posted | None:
        found, messages = alarm.confirmation, self._desk.messages
        if alarm.told is Told.OPEN:
            await messages.post_once(found.place, open_message(found, may_repeat=alarm.may_repeat))
            return None
        drawn = alarm_message(alarm.told, found, may_repeat=alarm.may_repeat)
        stands = _posted(alarm)
        if alarm.told is Told.OVER and stands is not None:
            try:
                await messages.update(stands, drawn)
            except Refusal as error:
                if error.code != "message_not_found":
                    raise
            else:
                return None
        return await self._sound(drawn)

    async def _sound(self, drawn: Drawn) -> Posted | None:
        channel = self._desk.settings.alert_channel
        return await self._desk.messages.post_once(channel, drawn) if channel else None


def _posted(alarm: Alarm) -> Posted | None:
    if not (alarm.channel and alarm.message):
        return None
    return Posted(channel=alarm.channel, message=alarm.message)
