"""Envelopes and payloads that were seen: Slack and Bolt deliver one twice now and then, and neither deduplicates."""

from datetime import timedelta

from sqlalchemy import Connection, bindparam, delete, text

from knowledge_base_agent.clock import utc_now
from knowledge_base_agent.records.database import UtcDateTime
from knowledge_base_agent.records.road_tables import SEEN_EVENTS

_KEPT = timedelta(hours=24)
_SEE_ONCE = text(
    "INSERT INTO seen_events (id, seen_at) VALUES (:id, :at) ON CONFLICT (id) DO NOTHING"
).bindparams(bindparam("at", type_=UtcDateTime))


def first_time(connection: Connection, event_id: str) -> bool:
    """Tell whether this event is seen for the first time, and remember it for a day."""
    now = utc_now()
    connection.execute(delete(SEEN_EVENTS).where(SEEN_EVENTS.c.seen_at < now - _KEPT))
    taken = connection.execute(_SEE_ONCE, {"id": event_id[:200], "at": now})
    return taken.rowcount == 1
