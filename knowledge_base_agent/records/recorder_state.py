"""How far the recorder is, and which gaps the history has: what `stats` says about the age of its figures."""

from datetime import datetime

from msgspec import Struct
from sqlalchemy import Connection, func, select

from knowledge_base_agent.records.tables import HISTORY_GAPS, RECORDER_STATE


class RecorderState(Struct, frozen=True, kw_only=True):
    """The recorder's own row. Times are aware UTC; `lag` is how many entries waited when it was written.

    An active recorder writes it at least every 5 s, so an `updated_at` older than that means that none is active.
    """

    last_id: str
    position: int
    lag: int
    last_event_at: datetime | None
    updated_at: datetime
    holder: str


class HistoryGap(Struct, frozen=True, kw_only=True):
    """Entries that were lost. `lost` is None when their number cannot be known."""

    noticed_at: datetime
    source: str
    lost: int | None
    detail: str


def read_recorder_state(connection: Connection) -> RecorderState | None:
    """Return the recorder's row; None when no recorder has ever been active."""
    row = connection.execute(select(RECORDER_STATE)).mappings().first()
    if row is None:
        return None
    return RecorderState(**{name: value for name, value in row.items() if name != "id"})


def gaps_since(connection: Connection, since: datetime, *, limit: int = 20) -> list[HistoryGap]:
    """Return the gaps that were noticed since then (aware UTC), the newest first."""
    columns = [c for c in HISTORY_GAPS.c if c.name != "id"]
    query = select(*columns).where(HISTORY_GAPS.c.noticed_at >= since)
    rows = connection.execute(query.order_by(HISTORY_GAPS.c.id.desc()).limit(limit)).mappings()
    return [HistoryGap(**row) for row in rows]


def count_gaps(connection: Connection) -> int:
    """Return how many gaps were ever noticed."""
    return connection.scalar(select(func.count()).select_from(HISTORY_GAPS)) or 0
