"""What cleared rows leave behind elsewhere: results, progress and log lines, removed by exact keys."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Protocol

import redis

from knowledge_base_agent.fleet.aside_keys import unlink_keys
from knowledge_base_agent.fleet.away import away, away_if_down
from knowledge_base_agent.fleet.connections import LOGS, PROGRESS, RESULTS
from knowledge_base_agent.fleet.deadline import Deadline, within
from knowledge_base_agent.fleet.redis_state import is_redis_url
from knowledge_base_agent.operations.stored_results import backend_url
from knowledge_base_agent.operations.undo_keys import Removing
from knowledge_base_agent.problems import Away, Problem
from knowledge_base_agent.records.task_ids import is_task_id
from knowledge_base_agent.records.task_logs import logs_key
from knowledge_base_agent.records.task_progress import progress_key

if TYPE_CHECKING:
    from knowledge_base_agent.deployment import Deployment

_CHUNK: Final = 2_000
_SECONDS: Final = 3.0
_SCANNED: Final = 50_000
"""A store of at most so many keys is looked through once; of a larger one each key is asked for."""
_WHAT: Final = {PROGRESS: "progress", LOGS: "log lines", RESULTS: "results"}

Remove = Callable[[list[str]], object]
Key = Callable[[str], bytes | str]


class Store(Protocol):
    """Where tasks leave something."""

    def remove(self, ids: list[str]) -> None:
        """Remove what these tasks left. Raises `Away`."""

    def bare(self) -> bool:
        """Tell whether certainly no task has left anything. Raises `Away`."""


@dataclass(kw_only=True)
class Leftovers:
    """Removes what tasks left in the stores. A store that does not answer is asked no more; the rest goes on."""

    stores: Mapping[str, Store]
    kept: dict[str, int] = field(default_factory=dict)
    """For how many tasks something may be left, by store."""
    why: dict[str, str] = field(default_factory=dict)
    _nowhere: bool | None = None

    def nowhere(self) -> bool:
        """Tell whether no task has left anything in any store, so that nobody's id has to be asked for."""
        if self._nowhere is None:
            self._nowhere = all(self._bare(source) for source in self.stores)
        return self._nowhere

    def _bare(self, source: str) -> bool:
        try:
            return within(Deadline.after(_SECONDS), self.stores[source].bare, source=source)
        except Problem:
            return False  # `remove` says of how many tasks something may be left

    def remove(self, ids: list[str]) -> None:
        """Remove what these tasks left. Never raises for a store that is away: see `notes`."""
        ids = [one for one in ids if is_task_id(one)]
        for start in range(0, len(ids), _CHUNK):
            for source in self.stores:
                self._remove(source, ids[start : start + _CHUNK])

    def _remove(self, source: str, ids: list[str]) -> None:
        remove = self.stores[source].remove
        if source not in self.why:
            try:
                within(Deadline.after(_SECONDS), lambda: remove(ids), source=source)
            except Problem as problem:
                self.why[source] = problem.what
        if source in self.why:
            self.kept[source] = self.kept.get(source, 0) + len(ids)

    def notes(self) -> Iterator[str]:
        """Yield a sentence for each store in which something may be left."""
        for source, number in self.kept.items():
            yield (
                f"The {_WHAT[source]} of {number:,} of these tasks may be left, and expire by themselves: "
                f"{self.why[source]}"
            )


def leftovers(deployment: "Deployment", removing: Removing = unlink_keys) -> Leftovers:
    """Return what removes the progress, log lines and results of tasks in this deployment. Connects to nobody yet.

    `removing` removes keys of a Redis: for good, or aside.
    """
    stores: dict[str, Store] = {
        PROGRESS: _Keys(PROGRESS, deployment.progress_redis, progress_key, removing),
        LOGS: _Keys(LOGS, deployment.logs_redis, logs_key, removing),
    }
    url = backend_url(deployment)
    if url is not None:
        stores[RESULTS] = _results(deployment, url, removing)
    return Leftovers(stores=stores)


class _Keys:
    """What tasks left in a Redis: one key a task.

    Rows go when their tasks have ended, so whatever these left is there when the first of them goes: what a small
    store has is looked up once, and what is put there meanwhile is of tasks that run.
    """

    def __init__(self, source: str, client: redis.Redis, key_of: Key, removing: Removing) -> None:
        self._source = source
        self._client = client
        self._key_of = key_of
        self._removing = removing
        self._there: frozenset[bytes] | None = None
        self._many = False

    def bare(self) -> bool:
        self._look()
        return not self._many and not self._there

    def remove(self, ids: list[str]) -> None:
        self._look()
        keys = [self._key_of(one) for one in ids]
        if self._there is not None:
            keys = [key for key in keys if _encoded(key) in self._there]
        # Of old tasks most has expired: one look at them all costs a tenth of trying to put each aside.
        with away_if_down(self._source):
            any_there = bool(keys) and self._client.exists(*keys)
        if any_there:
            self._removing(self._client, self._source, keys)

    def _look(self) -> None:
        if self._there is not None or self._many:
            return
        with away_if_down(self._source):
            self._many = self._client.dbsize() > _SCANNED
            if not self._many:
                found = self._client.scan_iter(match=_any_of(self._key_of), count=1_000)
                self._there = frozenset(map(_encoded, found))


def _any_of(key_of: Key) -> bytes:
    """Return the pattern that fits the key of each task: its prefix may have signs that patterns know."""
    prefix = _encoded(key_of("x"))[:-1]
    return re.sub(rb"([][*?^\\-])", rb"\\\1", prefix) + b"*"


def _encoded(key: bytes | str) -> bytes:
    return key.encode() if isinstance(key, str) else key


class _Foreign:
    """Results where only their backend knows what it has."""

    def __init__(self, backend: Any) -> None:
        self._backend = backend

    def bare(self) -> bool:
        return False

    def remove(self, ids: list[str]) -> None:
        for one in ids:
            try:
                self._backend.forget(one)
            except NotImplementedError as error:
                raise Away(
                    "The result backend can't forget.", "Its own clean-up does.", source=RESULTS
                ) from error
            except Exception as error:
                # Each kind of backend raises its own driver's errors.
                raise away(RESULTS, error) from error


def _results(deployment: "Deployment", url: str, removing: Removing) -> Store:
    backend: Any = deployment.app.backend
    if is_redis_url(url):
        client = deployment.redis_clients.of(url)
        return _Keys(RESULTS, client, backend.get_key_for_task, removing)
    return _Foreign(backend)
