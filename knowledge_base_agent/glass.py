"""What a channel is told of somebody who breaks the glass: at once, when they may go on alone, and how it ended.

An outbox: the row moves on when Slack has taken what was to be told, and not before. Each of the three is told by the
one bot that claims it by a conditional UPDATE. What Slack surely did not take is given back; a telling whose end is
unknown, since the bot died or the answer got lost, is done again after the time that it may take, and says so.
"""

from datetime import timedelta
from enum import Enum
from typing import Any

from msgspec import Struct
from sqlalchemy import ColumnElement, Connection, Engine, insert, select, update

from knowledge_base_agent.clock import utc_now
from knowledge_base_agent.confirmations import Confirmation, State, from_row
from knowledge_base_agent.records.database import reading, writing
from knowledge_base_agent.records.road_tables import CONFIRMATIONS, GLASS_ALARMS

TELLING_TAKES = timedelta(seconds=30)
"""Longer than any one telling: a claim that is older belongs to nobody any more."""


class Told(Enum):
    """What has been told last. Each may be followed by those below it."""

    NOTHING = "nothing"
    ASKED = "asked"
    """Somebody wants to go on alone."""
    OPEN = "open"
    """The delay is over, and nobody has stopped it."""
    OVER = "over"
    """It was stopped, approved, done or has expired."""


class Alarm(Struct, frozen=True, kw_only=True):
    """One thing to tell. `channel` and `message` are where the first alarm stands, empty where there is none."""

    told: Told
    before: Told
    """What had been told before it."""
    confirmation: Confirmation
    channel: str
    message: str
    may_repeat: bool = False
    """Somebody began to tell it, and it is not known whether they did."""


def sound(connection: Connection, confirmation_id: str) -> None:
    """Have the channel told, in the transaction that keeps the preview."""
    row = {"confirmation_id": confirmation_id, "told": Told.NOTHING.value}
    connection.execute(insert(GLASS_ALARMS).values(**row, channel="", message=""))


def alarms_due(engine: Engine) -> tuple[Alarm, ...]:
    """Return what is to be told now, each to one caller only, who says what came of it. Raises `Away`."""
    alarms = GLASS_ALARMS.c
    joined = select(CONFIRMATIONS, alarms.told, alarms.channel, alarms.telling_since).add_columns(
        alarms.message.label("alarm_message")
    )
    query = joined.join(GLASS_ALARMS, alarms.confirmation_id == CONFIRMATIONS.c.id).where(
        alarms.told != Told.OVER.value
    )
    with reading(engine) as connection:
        rows = [dict(row) for row in connection.execute(query).mappings()]
    return tuple(alarm for row in rows if (alarm := _claimed(engine, row)) is not None)


def _claimed(engine: Engine, row: dict[str, Any]) -> Alarm | None:
    names = ("told", "channel", "alarm_message", "telling_since")
    told, channel, message, since = (row.pop(name) for name in names)
    before, found = Told(told), from_row(row)
    following = _next(before, found)
    if following is None or not _claim(engine, found.id, before):
        return None
    return Alarm(
        told=following,
        before=before,
        confirmation=found,
        channel=channel,
        message=message,
        may_repeat=since is not None,
    )


def _next(told: Told, found: Confirmation) -> Told | None:
    if told is Told.NOTHING:
        return Told.ASKED  # even where it is over already: that somebody tried is told in any case
    if found.state is not State.PENDING:
        return Told.OVER
    may = found.alone_from is not None and found.alone_from <= utc_now() < found.expires_at
    return Told.OPEN if may and told is Told.ASKED else None


def _claim(engine: Engine, confirmation_id: str, before: Told) -> bool:
    now, since = utc_now(), GLASS_ALARMS.c.telling_since
    free = since.is_(None) | (since < now - TELLING_TAKES)
    with writing(engine) as connection:
        mine = update(GLASS_ALARMS).where(_at(confirmation_id, before)).where(free)
        return connection.execute(mine.values(telling_since=now)).rowcount == 1


def alarm_told(engine: Engine, alarm: Alarm, *, channel: str = "", message: str = "") -> None:
    """Record that it was told, and where it stands, so that any bot can say there how it ended. Raises `Away`."""
    values: dict[str, Any] = {"told": alarm.told.value, "telling_since": None}
    if message:
        values |= {"channel": channel, "message": message}
    with writing(engine) as connection:
        mine = update(GLASS_ALARMS).where(_at(alarm.confirmation.id, alarm.before))
        connection.execute(mine.values(values))


def alarm_untold(engine: Engine, alarm: Alarm) -> None:
    """Give back what Slack surely did not take. Raises `Away`."""
    with writing(engine) as connection:
        mine = update(GLASS_ALARMS).where(_at(alarm.confirmation.id, alarm.before))
        connection.execute(mine.values(telling_since=None))


def _at(confirmation_id: str, told: Told) -> ColumnElement[bool]:
    alarms = GLASS_ALARMS.c
    return (alarms.confirmation_id == confirmation_id) & (alarms.told == told.value)
