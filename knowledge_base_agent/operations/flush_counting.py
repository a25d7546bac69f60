"""Counting the keys of a store: before a flush is agreed to, before its first key goes, and after its last."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from knowledge_base_agent.fleet.deadline import Deadline, Unknown, ahead, gather, within
from knowledge_base_agent.operations.flush_drawing import Drawing
from knowledge_base_agent.operations.flush_keeping import RESOLUTION, Keeping
from knowledge_base_agent.operations.flush_stores import Store, pages
from knowledge_base_agent.wording import counted

if TYPE_CHECKING:
    from knowledge_base_agent.deployment import Deployment

_RECOUNT_SECONDS = 30.0


@dataclass(frozen=True, kw_only=True)
class Tally:
    """What was counted, or removed, in one store."""

    store: Store
    gone: int
    kept: int
    touched: int = 0
    """How many of those kept stay for no more than that somebody has touched them."""
    complete: bool = True
    """Whether the last key was reached."""
    drawn: tuple[int, ...] = ()
    """Of the keys that would go, some by which they are told from others (`flush_drawing`)."""


def what_stays(tallies: Sequence[Tally], keep: Keeping) -> str:
    """Say what stays and why, without a full stop."""
    if keep.everything_goes:
        return "nothing is spared"
    kept, touched = sum(one.kept for one in tallies), sum(one.touched for one in tallies)
    whose = "that may be a running task's" if keep.doubt else "of tasks that workers have"
    staying = [f"{counted(kept - touched, 'key')} {whose}"]
    if touched:
        before = f"up to {RESOLUTION.total_seconds():g} s before"
        staying.append(f"{counted(touched, 'key')} touched since the preview or {before}")
    if kept == touched > 0:
        del staying[0]
    return f"{' and '.join(staying)} {'stays' if kept == 1 else 'stay'}"


def count_keys(deployment: "Deployment", store: Store, keep: Keeping, seconds: float) -> Tally:
    """Count without removing, for so long. Raises `Refused` at a key that does not belong there, and `Away`."""
    deadline = Deadline.after(seconds)
    # One page may outlast the counting: whoever waits must hear of a Redis that does not answer at all.
    limit = Deadline.after(seconds + 0.5)
    return within(
        limit, partial(_count_until, deployment, store, keep, deadline), source=store.source
    )


def _count_until(
    deployment: "Deployment", store: Store, keep: Keeping, deadline: Deadline
) -> Tally:
    seen: set[bytes] = set()  # SCAN may give a key twice
    kept, drawing, complete = set[bytes](), Drawing(), True
    for page in pages(store):
        fresh = list(set(page) - seen)
        seen.update(fresh)
        staying = keep.kept(deployment, store, fresh)
        kept |= staying
        drawing.add([key for key in fresh if key not in staying] if staying else fresh)
        if deadline.expired:
            complete = False
            break
    return Tally(
        store=store,
        gone=len(seen) - len(kept),
        kept=len(kept),
        touched=keep.touched(store, kept),
        complete=complete,
        drawn=drawing.drawn,
    )


def at_most(stores: Sequence[Store]) -> int | None:
    """Read every key once more before the first one goes, and return how many may go; None where time was up.

    Raises `Refused` at the first key of a broker or of results.
    """
    until, limit = Deadline.after(_RECOUNT_SECONDS), Deadline.after(_RECOUNT_SECONDS + 0.5)
    # At once: the server finds keys of one while those of the other are read here.
    coming = [ahead(limit, partial(_number, one, until), source=one.source) for one in stores]
    found = [number() for number in coming]
    return None if None in found else sum(one or 0 for one in found)


def still_there(stores: Sequence[Store]) -> dict[str, int | Unknown]:
    """Return how many keys are in each store, by what it is called. Never raises for one that is away."""
    until, limit = Deadline.after(_RECOUNT_SECONDS), Deadline.after(_RECOUNT_SECONDS + 0.5)
    return gather(limit, {one.source: partial(_seen, one, until) for one in stores})


def _number(store: Store, until: Deadline) -> int | None:
    number = 0
    for page in pages(store):
        number += len(page)
        if until.expired:
            return None
    return number


def _seen(store: Store, until: Deadline) -> int | Unknown:
    seen: set[bytes] = set()  # SCAN may give a key twice
    for page in pages(store, ours_alone=True):
        seen.update(page)
        if until.expired:
            return Unknown(reason="there was no time to look at all of its keys.")
    return len(seen)
