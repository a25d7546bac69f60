"""When each source was last seen, and since when it is away: what lets an answer say "broker away since 03:12"."""

import threading
from datetime import datetime, timedelta

from msgspec import Struct
from msgspec.structs import replace

from knowledge_base_agent.clock import utc_now

FORGOTTEN_AFTER = timedelta(minutes=5)
"""A failure that nobody has asked about for so long says nothing about now."""


class Sighting(Struct, frozen=True, kw_only=True):
    """What this process knows of one source. Times are aware UTC."""

    source: str
    last_seen: datetime | None = None
    away_since: datetime | None = None
    """The first failure of a row without a gap of `FORGOTTEN_AFTER`; None while it answers."""
    last_failed: datetime | None = None

    def is_away(self, now: datetime) -> bool:
        """Tell whether its last word was a failure, and not long ago: nobody may have asked it since."""
        if self.away_since is None or self.last_failed is None:
            return False
        return now - self.last_failed < FORGOTTEN_AFTER


class Sightings:
    """The sightings of every source, in memory; safe to use from many threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: dict[str, Sighting] = {}

    def seen(self, source: str) -> Sighting:
        """Note that it answered."""
        with self._lock:
            known = Sighting(source=source, last_seen=utc_now())
            self._known[source] = known
            return known

    def failed(self, source: str) -> Sighting:
        """Note that it did not; the first failure in a row is kept."""
        with self._lock:
            now, known = utc_now(), self._known.get(source, Sighting(source=source))
            since = known.away_since if known.is_away(now) else now
            known = replace(known, away_since=since, last_failed=now)
            self._known[source] = known
            return known

    def of(self, source: str) -> Sighting:
        """Return what is known of it."""
        with self._lock:
            return self._known.get(source, Sighting(source=source))
