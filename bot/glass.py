"""Tells of those who break the glass: loudly in the alert channel, to them when they may go on, and how it ended."""

from dataclasses import dataclass
from functools import partial

import structlog

from bot.blocks.drawn import Drawn
from bot.blocks.two_people import alarm_message, open_message
from bot.desk import Desk
from bot.messages import Place, Posted
from bot.slack_api import Refusal, TooFast, Unreached
from knowledge_base_agent.glass import Alarm, Told

log = structlog.get_logger()
_WITHIN = 5.0
_TRIES = 150
"""Five minutes of tries: the delay is as long, and an alarm after it warns nobody."""


@dataclass(kw_only=True)
class _Waiting:
    alarm: Alarm
    tries: int = 0


class GlassAlarms:
    """Tells what is due, whenever `once` is called. What Slack does not take is tried again at the next call."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._waiting: list[_Waiting] = []
        self._stands: dict[str, Posted] = {}

    async def once(self) -> None:
        """Tell what is due. Raises `Problem` while the database is away."""
        due = await self._desk.questions.call(self._desk.runner.alarms_due, within=_WITHIN)
        waiting, self._waiting = [*self._waiting, *(_Waiting(alarm=one) for one in due)], []
        for one in waiting:
            try:
                await self._tell(one.alarm)
            except (Refusal, TooFast, Unreached) as error:
                self._again(one, error)

    def _again(self, one: _Waiting, error: Exception) -> None:
        one.tries += 1
        if one.tries < _TRIES:
            self._waiting.append(one)
        else:
            log.error("an alarm reached nobody", words=one.alarm.confirmation.words, why=str(error))

    async def _tell(self, alarm: Alarm) -> None:
        found = alarm.confirmation
        if alarm.told is Told.OPEN:
            await self._desk.messages.post(Place(channel=found.place, user=""), open_message(found))
            return
        drawn = alarm_message(alarm.told, found)
        stands = self._stands.pop(found.id, None) or _posted(alarm)
        if alarm.told is Told.OVER and stands is not None:
            await self._desk.messages.update(stands, drawn)
        elif self._desk.settings.alert_channel:
            await self._sound(alarm, drawn, self._desk.settings.alert_channel)

    async def _sound(self, alarm: Alarm, drawn: Drawn, channel: str) -> None:
        posted = await self._desk.messages.post(Place(channel=channel, user=""), drawn)
        if alarm.told is Told.OVER:
            return
        # Kept here as well: the database may be away just now, and another bot may be the one that tells the end.
        self._stands[alarm.confirmation.id] = posted
        stands = partial(
            self._desk.runner.alarm_stands,
            alarm.confirmation.id,
            channel=posted.channel,
            message=posted.message,
        )
        await self._desk.questions.call(stands, within=_WITHIN)


def _posted(alarm: Alarm) -> Posted | None:
    if not (alarm.channel and alarm.message):
        return None
    return Posted(channel=alarm.channel, message=alarm.message)
