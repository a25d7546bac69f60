"""Who was heard, and when: what lets a missing worker be named, and keeps one from being waited for twice."""

import threading
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from msgspec import Struct
from msgspec.structs import replace

from knowledge_base_agent.clock import utc_now

KEEP = timedelta(hours=6)
"""How long a worker that left is remembered."""


class Known(Struct, frozen=True, kw_only=True):
    """One worker as this process has known it. Times are aware UTC."""

    name: str
    last_heard: datetime | None
    """None for one that was named by the broker and never answered us."""
    silent_since: datetime | None = None
    """When it first failed to answer, if it received the questions and has not answered since."""
    left: datetime | None = None
    """When it no longer received broadcasts: shut down or killed. It may still be finishing tasks."""


class Roster:
    """The workers that answered this process, in memory; safe to use from many threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: dict[str, Known] = {}
        self._namesakes: Mapping[str, int] = {}

    def heard(self, names: Iterable[str]) -> None:
        """Note an answer, be it late."""
        now = utc_now()
        with self._lock:
            self._known |= {name: Known(name=name, last_heard=now) for name in names}

    def silent(self, names: Iterable[str]) -> None:
        """Note that these received a question and did not answer by its deadline."""
        now = utc_now()
        with self._lock:
            for name in names:
                known = self._known.get(name, Known(name=name, last_heard=None))
                since = known.silent_since or now
                self._known[name] = replace(known, silent_since=since, left=None)

    def left(self, names: Iterable[str]) -> None:
        """Note that these no longer receive broadcasts."""
        now = utc_now()
        with self._lock:
            for name in names:
                known = self._known.get(name)
                if known is not None and known.left is None:
                    self._known[name] = replace(known, left=now, silent_since=None)
            self._known = {
                name: known
                for name, known in self._known.items()
                if known.left is None or now - known.left < KEEP
            }

    def shared(self, counts: Mapping[str, int]) -> None:
        """Note how many answered by each name when everyone was asked."""
        with self._lock:
            self._namesakes = {name: count for name, count in counts.items() if count > 1}

    def namesakes(self) -> Mapping[str, int]:
        """Return the names that several workers share, and how many do."""
        with self._lock:
            return self._namesakes

    def present(self) -> frozenset[str]:
        """Return the workers that are thought to receive broadcasts, the silent included."""
        with self._lock:
            return frozenset(name for name, known in self._known.items() if known.left is None)

    def known_silent(self) -> frozenset[str]:
        """Return those that received the last question and did not answer it."""
        with self._lock:
            return frozenset(
                name
                for name, known in self._known.items()
                if known.left is None and known.silent_since is not None
            )

    def all(self) -> tuple[Known, ...]:
        """Return everyone known, by name."""
        with self._lock:
            return tuple(self._known[name] for name in sorted(self._known))
