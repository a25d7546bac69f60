"""What cleared rows leave behind elsewhere: results, progress and log lines, removed by exact keys."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, Final

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
_WHAT: Final = {PROGRESS: "progress", LOGS: "log lines", RESULTS: "results"}

Remove = Callable[[list[str]], object]


@dataclass(kw_only=True)
class Leftovers:
    """Removes what tasks left in the stores. A store that does not answer is asked no more; the rest goes on."""

    stores: Mapping[str, Remove]
    kept: dict[str, int] = field(default_factory=dict)
    """For how many tasks something may be left, by store."""
    why: dict[str, str] = field(default_factory=dict)

    def remove(self, ids: list[str]) -> None:
        """Remove what these tasks left. Never raises for a store that is away: see `notes`."""
        ids = [one for one in ids if is_task_id(one)]
        for start in range(0, len(ids), _CHUNK):
            for source in self.stores:
                self._remove(source, ids[start : start + _CHUNK])

    def _remove(self, source: str, ids: list[str]) -> None:
        remove = self.stores[source]
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
    progress, logs = deployment.progress_redis, deployment.logs_redis
    stores: dict[str, Remove] = {
        PROGRESS: partial(_unless_none, removing, progress, PROGRESS, progress_key),
        LOGS: partial(_unless_none, removing, logs, LOGS, logs_key),
    }
    url = backend_url(deployment)
    if url is not None:
        stores[RESULTS] = _results(deployment, url, removing)
    return Leftovers(stores=stores)


def _unless_none(
    removing: Removing,
    client: redis.Redis,
    source: str,
    key_of: Callable[[str], bytes | str],
    ids: list[str],
) -> None:
    keys = [key_of(one) for one in ids]
    # Of old tasks most has expired: one look at them all costs a tenth of trying to put each aside.
    with away_if_down(source):
        any_there = client.exists(*keys)
    if any_there:
        removing(client, source, keys)


def _results(deployment: "Deployment", url: str, removing: Removing) -> Remove:
    backend: Any = deployment.app.backend
    if is_redis_url(url):
        client = deployment.redis_clients.of(url)
        return partial(_unless_none, removing, client, RESULTS, backend.get_key_for_task)

    def forget(ids: list[str]) -> None:
        for one in ids:
            try:
                backend.forget(one)
            except NotImplementedError as error:
                raise Away(
                    "The result backend can't forget.", "Its own clean-up does.", source=RESULTS
                ) from error
            except Exception as error:
                # Each kind of backend raises its own driver's errors.
                raise away(RESULTS, error) from error

    return forget
