"""From one reading to the troubles it shows. Pure: the same reading and memory give the same answer."""

from collections.abc import Collection
from dataclasses import dataclass

from knowledge_base_agent.operations.alerts_thresholds import Thresholds
from knowledge_base_agent.watching.queue_troubles import queue_troubles
from knowledge_base_agent.watching.reading import Reading
from knowledge_base_agent.watching.recollection import Recollection
from knowledge_base_agent.watching.redis_troubles import (
    away_troubles,
    beat_troubles,
    evictions,
    redis_troubles,
)
from knowledge_base_agent.watching.task_troubles import task_troubles
from knowledge_base_agent.watching.trouble import Kind, Open, Trouble, key_of
from knowledge_base_agent.watching.worker_troubles import sights, worker_troubles


@dataclass(frozen=True, kw_only=True)
class Found:
    """What one check found."""

    troubles: tuple[Trouble, ...]
    """Those that have been seen often enough to be told, and those that were told before and go on."""
    unjudged: frozenset[Kind]
    """Kinds that could not be judged fully: that an open alert of these is missing above means nothing."""
    left: Recollection
    """What the next check needs to know."""


def find_troubles(
    reading: Reading, limits: Thresholds, before: Recollection, open_: Collection[Open]
) -> Found:
    """Judge a reading. `open_` are the alerts that are told already: those need no streak to go on."""
    keys = {key_of(one.kind, one.subject) for one in open_}
    parts = (
        task_troubles(reading, limits, keys),
        queue_troubles(reading, limits),
        worker_troubles(reading, limits, before, open_),
        redis_troubles(reading, limits, before),
        away_troubles(reading),
        beat_troubles(reading, limits),
    )
    found = {one.key: one for part in parts for one in part.troubles}
    seen = {key: before.seen.get(key, 0) + 1 for key in found}
    return Found(
        troubles=tuple(one for key, one in found.items() if key in keys or seen[key] >= one.checks),
        unjudged=frozenset(kind for part in parts for kind in part.unjudged),
        left=Recollection(
            seen=seen, workers=sights(reading, before), evicted=evictions(reading, before)
        ),
    )
