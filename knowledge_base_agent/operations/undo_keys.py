"""Flushed keys, and what cleared tasks left in the stores: put aside by their stores, and brought back from there."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Protocol

import redis

from knowledge_base_agent.fleet.aside_keys import (
    Survey,
    bring_keys_back,
    free_keys,
    put_keys_aside,
    size_of_keys,
    survey,
    unlink_keys,
)
from knowledge_base_agent.fleet.connections import LOGS, PROGRESS, RESULTS
from knowledge_base_agent.fleet.deadline import Deadline, within
from knowledge_base_agent.fleet.redis_state import is_redis_url
from knowledge_base_agent.operations.operation import Progress
from knowledge_base_agent.operations.stored_results import backend_url
from knowledge_base_agent.operations.undo_kinds import Item, KeepsakeKind
from knowledge_base_agent.operations.undoable import Keeping, keeping
from knowledge_base_agent.problems import Away
from knowledge_base_agent.records.keepsakes import Keepsake

if TYPE_CHECKING:
    from knowledge_base_agent.deployment import Deployment

KEYS_NAME = "keys"
_LOOK_SECONDS = 1.0
_NEWER = "something newer has their names"


def clients_of(deployment: "Deployment") -> Mapping[str, redis.Redis]:
    """Return the clients of the stores that keys are put aside in, by what people call the stores."""
    clients = {PROGRESS: deployment.progress_redis, LOGS: deployment.logs_redis}
    url = backend_url(deployment)
    if url is not None and is_redis_url(url):
        clients[RESULTS] = deployment.redis_clients.of(url)
    return clients


class Removing(Protocol):
    """What removes keys of a store, and says how many there were: for good, or aside."""

    def __call__(self, client: redis.Redis, source: str, keys: Sequence[bytes | str]) -> int:
        """Remove these. Raises `Away`."""


@dataclass(frozen=True, kw_only=True)
class Removal:
    """How keys are removed, and how many of each store have been."""

    mark: str | None
    """What they are put aside under, None where it is for good."""
    numbers: Counter[str] = field(default_factory=Counter)

    def remove(self, client: redis.Redis, source: str, keys: Sequence[bytes | str]) -> int:
        """Remove these, and return how many there were. Raises `Away`."""
        if self.mark is None:
            return unlink_keys(client, source, keys)
        moved = put_keys_aside(client, source, keys, self.mark)
        self.count(source, moved)
        return moved

    def count(self, source: str, number: int) -> None:
        """Count so many more of a store, removed by whoever says it."""
        self.numbers[source] += number


@contextmanager
def removing_keys(
    deployment: "Deployment", sources: Sequence[str], *, no_undo: bool
) -> Iterator[Removal]:
    """Say how keys of these stores go; unless it is for good, what goes is written down first. Raises `Away`."""
    if no_undo:
        yield Removal(mark=None)
        return
    kept = keeping(deployment)
    kept.keep(KEYS_NAME, {"mark": kept.mark, "sources": list(sources)})
    removal = Removal(mark=kept.mark)
    yield removal
    kept.fill(removal.numbers.total(), size_aside(deployment, kept.mark, removal.numbers))


def aside_for(kept: Keeping, numbers: Counter[str]) -> Removing:
    """Return what puts keys aside for a keepsake, counting them by store."""

    removal = Removal(mark=kept.mark, numbers=numbers)
    return removal.remove


def size_aside(deployment: "Deployment", mark: str, numbers: Mapping[str, int]) -> int | None:
    """Return about how many bytes these numbers of keys hold aside, by store; None where that can't be told."""
    clients = clients_of(deployment)
    try:
        return sum(
            size_of_keys(clients[source], source, mark, number)
            for source, number in numbers.items()
        )
    except Away:
        return None  # a figure beside the report, which is not worth more


def look_at_keys(
    deployment: "Deployment", mark: str, sources: Sequence[str]
) -> Iterator[tuple[str, Survey]]:
    """Yield what would come back of each store. Raises `Away`."""
    clients = clients_of(deployment)
    for source in sources:
        if source in clients:
            until = Deadline.after(_LOOK_SECONDS)
            count = partial(survey, clients[source], source, mark, until)
            yield source, within(Deadline.after(_LOOK_SECONDS + 1.0), count, source=source)


def items_of(found: Iterator[tuple[str, Survey]]) -> tuple[Item, ...]:
    """Return the lines about what comes back of each store."""
    return tuple(
        Item(
            what=f"keys of {source}",
            number=one.back if one.complete else None,
            left=one.taken,
            why=_NEWER if one.taken else "" if one.complete else f"at least {one.back:,}",
        )
        for source, one in found
        if one.back or one.taken
    )


def bring_back(
    deployment: "Deployment", mark: str, sources: Sequence[str], progress: Progress
) -> Iterator[tuple[str, Survey]]:
    """Bring back what is aside in each store, and yield what came. Raises `Away`."""
    clients = clients_of(deployment)
    for source in sources:
        if source in clients:
            yield (
                source,
                bring_keys_back(
                    clients[source], source, mark, lambda done: progress(done, None, "keys")
                ),
            )


def free_in(deployment: "Deployment", mark: str, sources: Sequence[str]) -> Iterator[None]:
    """Remove what is aside in each store, and yield after each portion. Raises `Away`."""
    clients = clients_of(deployment)
    for source in sources:
        if source in clients:
            yield from free_keys(clients[source], source, mark)


def _look(deployment: "Deployment", keepsake: Keepsake) -> tuple[Item, ...]:
    kept = keepsake.kept
    items = items_of(look_at_keys(deployment, kept["mark"], kept["sources"]))
    if not items and keepsake.number:
        why = "they are not aside any more: the stores have dropped them, or they have expired"
        return (Item(what="keys", number=0, left=keepsake.number, why=why),)
    return items


def _bring_back(
    deployment: "Deployment", keepsake: Keepsake, progress: Progress
) -> tuple[Item, ...]:
    kept = keepsake.kept
    return items_of(bring_back(deployment, kept["mark"], kept["sources"], progress))


def _free(deployment: "Deployment", keepsake: Keepsake) -> Iterator[None]:
    return free_in(deployment, keepsake.kept["mark"], keepsake.kept["sources"])


KEYS = KeepsakeKind(name=KEYS_NAME, look=_look, bring_back=_bring_back, free=_free)
