"""What a channel is told of somebody who breaks the glass: at once, when they may go on alone, and how it ended.

Each of the three is told by one bot: whoever moves the row on with a conditional UPDATE is the one that tells.
"""

from dataclasses import dataclass
from enum import Enum

from sqlalchemy import Connection, Engine, insert, select, update

from knowledge_base_agent.clock import utc_now
from knowledge_base_agent.confirmations import Confirmation, State, from_row
from knowledge_base_agent.records.database import reading, writing
from knowledge_base_agent.records.road_tables import CONFIRMATIONS, GLASS_ALARMS


class Told(Enum):
    """What has been told last. Each may be followed by those below it."""

    NOTHING = "nothing"
    ASKED = "asked"
    """Somebody wants to go on alone."""
    OPEN = "open"
    """The delay is over, and nobody has stopped it."""
    OVER = "over"
    """It was stopped, approved, done or has expired."""


@dataclass(frozen=True, kw_only=True)
class Alarm:
    """One thing to tell. `channel` and `message` are where the first alarm stands, empty where there is none."""

    told: Told
    confirmation: Confirmation
    channel: str
    message: str


def sound(connection: Connection, confirmation_id: str) -> None:
    """Have the channel told, in the transaction that keeps the preview."""
    row = {"confirmation_id": confirmation_id, "told": Told.NOTHING.value}
    connection.execute(insert(GLASS_ALARMS).values(**row, channel="", message=""))


def alarms_due(engine: Engine) -> tuple[Alarm, ...]:
    """Return what is to be told now, each to one caller only. Raises `Away`."""
    joined = select(CONFIRMATIONS, GLASS_ALARMS.c.told, GLASS_ALARMS.c.channel).add_columns(
        GLASS_ALARMS.c.message.label("alarm_message")
    )
    query = joined.join(GLASS_ALARMS, GLASS_ALARMS.c.confirmation_id == CONFIRMATIONS.c.id).where(
        GLASS_ALARMS.c.told != Told.OVER.value
    )
    with reading(engine) as connection:
        rows = [dict(row) for row in connection.execute(query).mappings()]
    due = []
    for row in rows:
        told, channel, message = (row.pop(key) for key in ("told", "channel", "alarm_message"))
        found = from_row(row)
        following = _next(Told(told), found)
        if following is not None and _moved(engine, found.id, Told(told), following):
            due.append(Alarm(told=following, confirmation=found, channel=channel, message=message))
    return tuple(due)


def _next(told: Told, found: Confirmation) -> Told | None:
    if told is Told.NOTHING:
        return Told.ASKED  # even where it is over already: that somebody tried is told in any case
    if found.state is not State.PENDING:
        return Told.OVER
    may = found.alone_from is not None and found.alone_from <= utc_now() < found.expires_at
    return Told.OPEN if may and told is Told.ASKED else None


def _moved(engine: Engine, confirmation_id: str, before: Told, after: Told) -> bool:
    with writing(engine) as connection:
        moved = connection.execute(
            update(GLASS_ALARMS)
            .where(GLASS_ALARMS.c.confirmation_id == confirmation_id)
            .where(GLASS_ALARMS.c.told == before.value)
            .values(told=after.value)
        )
        return moved.rowcount == 1


def alarm_stands(engine: Engine, confirmation_id: str, *, channel: str, message: str) -> None:
    """Remember where an alarm stands, so that any bot can say on it how it ended. Raises `Away`."""
    with writing(engine) as connection:
        connection.execute(
            update(GLASS_ALARMS)
            .where(GLASS_ALARMS.c.confirmation_id == confirmation_id)
            .values(channel=channel, message=message)
        )
