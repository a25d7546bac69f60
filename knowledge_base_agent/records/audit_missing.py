"""Which entries that Slack has taken are not in the channel any more: holes in what was read, and all before it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection, func, select

from knowledge_base_agent.records.audit_verifying import PostedSeals
from knowledge_base_agent.records.road_tables import AUDIT

_SOME: Final = 10
_AT_ONCE: Final = 500
_CLOCKS: Final = timedelta(seconds=5)
"""`posted_at` is by the clock of whichever bot posted it, and a message's time by Slack's."""


@dataclass(frozen=True, kw_only=True)
class Missing:
    """How many entries are gone from the channel, and the first of their ranges: (first, last), both included.

    `compared_from` is the oldest entry that was looked for; None where nothing could be.
    """

    number: int
    ranges: tuple[tuple[int, int], ...]
    compared_from: int | None


def missing_in_channel(connection: Connection, posted: PostedSeals, asked_at: datetime) -> Missing:
    """Look for every posted entry in what was read of the channel, which began at `asked_at` (aware UTC).

    Where the history was read to its beginning, that is every entry; else those since the oldest that was seen, or
    since the moment that was reached. What was posted only while the channel was read is looked for no further.
    """
    there = sorted({seal.number for seal in posted.seals})
    low, high = _span(connection, posted, there, asked_at)
    if low is None or high < low:
        return Missing(number=0, ranges=(), compared_from=low)
    expected = _count(connection, AUDIT.c.id.between(low, high))
    starts = range(0, len(there), _AT_ONCE)
    found = sum(_count(connection, AUDIT.c.id.in_(there[at : at + _AT_ONCE])) for at in starts)
    ranges = tuple(_ranges(connection, there, low, high)) if expected > found else ()
    return Missing(number=expected - found, ranges=ranges, compared_from=low)


def _span(
    connection: Connection, posted: PostedSeals, there: Sequence[int], asked_at: datetime
) -> tuple[int | None, int]:
    settled = AUDIT.c.posted_at < asked_at - _CLOCKS
    newest = connection.execute(select(func.max(AUDIT.c.id)).where(settled)).scalar_one()
    high = max(newest or 0, *there[-1:], 0)
    if posted.back_to is None:
        return 1, high
    since = AUDIT.c.posted_at > posted.back_to + _CLOCKS
    oldest = connection.execute(select(func.min(AUDIT.c.id)).where(since, settled)).scalar_one()
    return min((one for one in (oldest, *there[:1]) if one is not None), default=None), high


def _count(connection: Connection, which: object) -> int:
    query = select(func.count()).where(AUDIT.c.posted_at.isnot(None), which)  # type: ignore[arg-type]
    return int(connection.execute(query).scalar_one())


def _ranges(
    connection: Connection, there: Sequence[int], low: int, high: int
) -> Iterator[tuple[int, int]]:
    """Yield the first gaps between the numbers that are there; what waits for the channel still is no gap."""
    named = 0
    for before, after in zip([low - 1, *there], [*there, high + 1], strict=True):
        if after - before < 2 or named == _SOME:
            continue
        bounds = select(func.min(AUDIT.c.id), func.max(AUDIT.c.id)).where(
            AUDIT.c.id.between(before + 1, after - 1), AUDIT.c.posted_at.isnot(None)
        )
        first, last = connection.execute(bounds).one()
        if first is not None:
            named += 1
            yield first, last
