"""How much waits in each queue on Redis: ready lists of every priority, the `unacked` hash, the oldest message."""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from msgspec import Struct

from knowledge_base_agent.fleet.broker import RedisBroker
from knowledge_base_agent.fleet.deadline import Deadline
from knowledge_base_agent.fleet.envelopes import read_envelope, read_unacked

UNACKED_LIMIT = 1000
"""Entries of the `unacked` hash up to which they are told apart by queue."""
_UNACKED_BYTES = 4 * 1024 * 1024
_CHUNK = 50


class Ready(Struct, frozen=True, kw_only=True):
    """What waits in one queue's lists."""

    by_priority: Mapping[int, int]
    oldest_at: datetime | None
    oldest_known: bool


class Unacked(Struct, frozen=True, kw_only=True):
    """The `unacked` hash."""

    total: int | None
    oldest_at: datetime | None
    by_queue: Mapping[str, int] | None
    """None where there are too many, or too large, to be told apart."""


def read_ready(broker: RedisBroker, names: Iterable[str]) -> dict[str, Ready]:
    """Read the lists of these queues in one round trip. O(1) for each, at any depth."""
    lists = {name: broker.keys.lists(name) for name in names}
    with broker.client.pipeline(transaction=False) as pipe:
        for keys in lists.values():
            for _, key in keys:
                pipe.llen(key)
                pipe.lindex(key, -1)  # kombu pushes on the left and takes from the right
        answers = iter(pipe.execute())
    found: dict[str, Ready] = {}
    for name, keys in lists.items():
        rows = [(step, next(answers), next(answers)) for step, _ in keys]
        found[name] = _ready(rows)
    return found


def _ready(rows: list[tuple[int, Any, bytes | None]]) -> Ready:
    tails = [read_envelope(raw) for _, _, raw in rows if raw is not None]
    times = [tail.published_at if tail else None for tail in tails]
    known = [time for time in times if time is not None]
    return Ready(
        by_priority={step: int(length) for step, length, _ in rows},
        oldest_at=min(known) if known and len(known) == len(times) else None,
        oldest_known=len(known) == len(times),
    )


def read_unacked_totals(broker: RedisBroker) -> Unacked:
    """Read how many are unacknowledged, and since when. O(1)."""
    keys = broker.keys
    if keys.unacked is None:
        return Unacked(total=None, oldest_at=None, by_queue=None)
    with broker.client.pipeline(transaction=False) as pipe:
        pipe.hlen(keys.unacked)
        pipe.zrange(keys.unacked_index, 0, 0, withscores=True)
        total, oldest = pipe.execute()
    at = datetime.fromtimestamp(float(oldest[0][1]), UTC) if oldest else None
    return Unacked(total=int(total), oldest_at=at, by_queue={} if total == 0 else None)


def tell_unacked_apart(
    broker: RedisBroker, deadline: Deadline, routes: Mapping[tuple[str, str], str]
) -> Mapping[str, int] | None:
    """Count the unacknowledged messages by queue, reading at most a few MB; None if there are more than that."""
    counts: Counter[str] = Counter()
    seen: set[bytes] = set()
    size = 0
    cursor: Any = 0
    entries: Any
    while True:
        cursor, entries = broker.client.hscan(str(broker.keys.unacked), cursor, count=_CHUNK)
        for tag, raw in entries.items():
            if tag in seen:  # SCAN may give an entry twice
                continue
            seen.add(tag)
            size += len(raw)
            read = read_unacked(raw)
            if read is None:
                return None
            _, exchange, routing_key = read
            counts[routes.get((exchange, routing_key), routing_key)] += 1
        if cursor == 0:
            return counts
        if deadline.expired or size > _UNACKED_BYTES or len(seen) > UNACKED_LIMIT:
            return None
