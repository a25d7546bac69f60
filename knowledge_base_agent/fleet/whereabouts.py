"""Where a task is: with a worker, in a queue, or nowhere that can be seen. What is nowhere can't be revoked."""

import re
from collections.abc import Collection
from dataclasses import dataclass

from knowledge_base_agent.fleet.deadline import Deadline
from knowledge_base_agent.fleet.pending import Pending, PendingMessages, PendingSearch
from knowledge_base_agent.fleet.views import FleetView, HeldTask
from knowledge_base_agent.fleet.workers import Workers
from knowledge_base_agent.problems import Misunderstood

_ID = re.compile(r"[A-Za-z0-9_.:-]{1,128}")


@dataclass(frozen=True, kw_only=True)
class Whereabouts:
    """Where the ids that were asked for are. An id may be in several places: acknowledged late, delivered twice."""

    held: tuple[HeldTask, ...]
    """With which workers."""
    pending: tuple[Pending, ...]
    """In which queues, or unacknowledged."""
    known: frozenset[str]
    """What only the caller knew: its history lists the task."""
    nowhere: frozenset[str]
    """Found in no place, though every place was seen: refuse these."""
    unknown: frozenset[str]
    """Not found, but not every place could be seen: see `why_unknown`."""
    why_unknown: tuple[str, ...]
    fleet: FleetView
    search: PendingSearch | None
    """None if every id was with a worker, so the queues were not read."""

    @property
    def found(self) -> frozenset[str]:
        """Return the ids that are somewhere."""
        seen = {task.id for task in self.held} | {one.envelope.id for one in self.pending}
        return frozenset(seen) | self.known


def check_ids(ids: Collection[str]) -> None:
    """Raise `Misunderstood` if one of these can't be a task's id."""
    for one in ids:
        if not _ID.fullmatch(one):
            raise Misunderstood(
                f"“{one[:40]}” can't be the id of a task.",
                "Ids are 1 to 128 letters, digits and the signs _ . : - as `active` shows them.",
            )


def locate(
    deadline: Deadline,
    workers: Workers,
    messages: PendingMessages,
    ids: Collection[str],
    *,
    known: Collection[str] = (),
    arguments: bool = False,
) -> Whereabouts:
    """Say where each id is: by the workers, then by the queues, then by `known`, what the caller's records list.

    `arguments` brings those of what workers have: see `Workers.look`. Raises `Away` without a broker.
    """
    check_ids(ids)
    wanted = frozenset(ids)
    fleet = workers.look(deadline, ids=wanted, arguments=arguments)
    rest = wanted - {task.id for task in fleet.held}
    search = messages.find(deadline, rest) if rest else None
    if search and rest - {one.envelope.id for one in search.found} - frozenset(known):
        # A worker may have taken it from its queue after we asked the one and before we read the other.
        fleet = workers.look(deadline, ids=wanted, arguments=arguments, fresh=True)
    return _sum(wanted, fleet, search, frozenset(known))


def _sum(
    wanted: frozenset[str], fleet: FleetView, search: PendingSearch | None, known: frozenset[str]
) -> Whereabouts:
    held = tuple(task for task in fleet.held if task.id in wanted)
    pending = search.found if search else ()
    left = wanted - {task.id for task in held} - {one.envelope.id for one in pending}
    missing = left - known
    why = tuple(_why_unknown(fleet, search)) if missing else ()
    return Whereabouts(
        held=held,
        pending=pending,
        known=left & known,
        nowhere=frozenset() if why else missing,
        unknown=missing if why else frozenset(),
        why_unknown=why,
        fleet=fleet,
        search=search,
    )


def _why_unknown(fleet: FleetView, search: PendingSearch | None) -> list[str]:
    reasons = [f"{name} did not answer." for name in fleet.silent]
    if fleet.unnamed:
        reasons.append(f"{fleet.unnamed} workers of unknown name did not answer.")
    if fleet.receivers is None and fleet.why_unknown:
        reasons.append(f"It is not known who else there is: {fleet.why_unknown}.")
    reasons += fleet.problems
    if search is not None and search.why_incomplete:
        reasons.append(search.why_incomplete)
    return reasons
