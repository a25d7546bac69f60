"""Envelopes and payloads that were seen: Slack and Bolt deliver one twice now and then, and neither deduplicates."""

from collections.abc import Collection
from datetime import timedelta

from sqlalchemy import Engine, delete

from knowledge_base_agent.clock import utc_now
from knowledge_base_agent.records.database import writing
from knowledge_base_agent.records.road_tables import SEEN_EVENTS
from knowledge_base_agent.records.upserts import insert_into

_KEPT = timedelta(hours=24)
_ID_LENGTH = 200


def first_seen(engine: Engine, event_ids: Collection[str]) -> frozenset[str]:
    """Return those of these events that are seen for the first time, and remember all. Raises `Away`."""
    if engine.dialect.name == "postgresql":
        # One statement, which commits by itself: a server that is far is waited for once, and not three times.
        engine = engine.execution_options(isolation_level="AUTOCOMMIT")
    # In order, so that two bots which are given the same never wait for each other.
    short = sorted({one[:_ID_LENGTH] for one in event_ids})
    now = utc_now()
    with writing(engine) as connection:
        insert = insert_into(connection, SEEN_EVENTS).on_conflict_do_nothing()
        rows = [{"id": one, "seen_at": now} for one in short]
        new = set(connection.scalars(insert.returning(SEEN_EVENTS.c.id), rows))
    return frozenset(one for one in event_ids if one[:_ID_LENGTH] in new)


def forget_old(engine: Engine) -> None:
    """Forget the events of more than a day ago. Raises `Away`."""
    with writing(engine) as connection:
        connection.execute(delete(SEEN_EVENTS).where(SEEN_EVENTS.c.seen_at < utc_now() - _KEPT))
