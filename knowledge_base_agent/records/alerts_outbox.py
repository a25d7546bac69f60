"""What the channel does not show yet of the alerts: an outbox, in order, with a claim so that nothing is posted twice.

A post can't be taken back, and Slack has no key against doubles. So a post is claimed in the row before it begins, by
one conditional UPDATE; one whose end is unknown (the process died, Slack's answer got lost) is tried again only after
the time that a post may take, and says that it may be a repeat.
"""

from datetime import timedelta

from sqlalchemy import Engine, select, update

from knowledge_base_agent.clock import utc_now
from knowledge_base_agent.records.alerts import Alert, alert_of
from knowledge_base_agent.records.alerts_tables import ALERTS
from knowledge_base_agent.records.database import reading, writing

POST_TAKES = timedelta(seconds=30)
"""Longer than any one post: a claim that is older belongs to nobody any more."""


def undelivered(engine: Engine, limit: int = 50) -> tuple[Alert, ...]:
    """Return what the channel does not show yet, the oldest alert first. Raises `Away`."""
    waiting = ALERTS.c.revision != ALERTS.c.shown_revision
    query = select(ALERTS).where(waiting).order_by(ALERTS.c.number).limit(limit)
    with reading(engine) as connection:
        return tuple(alert_of(row) for row in connection.execute(query).mappings())


def claim_post(engine: Engine, alert: Alert) -> bool:
    """Take the right to post this alert's message; False if it is posted, or being posted, by another."""
    now = utc_now()
    free = ALERTS.c.posting_since.is_(None) | (ALERTS.c.posting_since < now - POST_TAKES)
    mine = (ALERTS.c.number == alert.number) & (ALERTS.c.message == "") & free
    with writing(engine) as connection:
        taken = connection.execute(update(ALERTS).where(mine).values(posting_since=now))
        return taken.rowcount == 1


def give_back_post(engine: Engine, alert: Alert) -> None:
    """Give the right back: Slack surely did not post."""
    with writing(engine) as connection:
        mine = ALERTS.c.number == alert.number
        connection.execute(update(ALERTS).where(mine).values(posting_since=None))


def shown(engine: Engine, alert: Alert, *, channel: str, message: str) -> None:
    """Record that the channel shows this revision, in this message; reminders of it are done."""
    mine = ALERTS.c.number == alert.number
    values = {"shown_revision": alert.revision, "channel": channel, "message": message}
    values |= {"posting_since": None, "reminder_due": False}
    with writing(engine) as connection:
        connection.execute(update(ALERTS).where(mine).values(values))


def message_gone(engine: Engine, alert: Alert) -> None:
    """Record that somebody deleted the message: it is posted anew if the trouble still is there."""
    with writing(engine) as connection:
        mine = ALERTS.c.number == alert.number
        connection.execute(update(ALERTS).where(mine).values(message="", posting_since=None))
