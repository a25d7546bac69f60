"""Which keys a flush leaves: those of running tasks, and, while not every worker answered, whatever may be one's."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from knowledge_base_agent.clock import utc_now
from knowledge_base_agent.fleet.deadline import Deadline
from knowledge_base_agent.operations.finishing import all_finishing
from knowledge_base_agent.operations.flush_stores import Store, touched_keys
from knowledge_base_agent.operations.headcount import headcount
from knowledge_base_agent.problems import Away
from knowledge_base_agent.records.database import reading
from knowledge_base_agent.records.states import WITH_WORKERS
from knowledge_base_agent.records.task_history import rows_by_ids
from knowledge_base_agent.redaction import plain
from knowledge_base_agent.report import Note, Tone
from knowledge_base_agent.wording import duration

if TYPE_CHECKING:
    from knowledge_base_agent.deployment import Deployment

RECENTLY = timedelta(hours=1)
RESOLUTION = timedelta(seconds=2)
"""A key may seem idle for so much longer than it is: a Redis server counts whole seconds, by a clock that it looks at
now and then. What was touched so shortly before a preview can't be told from what was touched after it, and stays too.
"""
_LOOK_SECONDS = 1.2
_MOST_NAMED = 500


@dataclass(frozen=True, kw_only=True)
class Keeping:
    """What is to be kept. `doubt` says why the workers' word is not enough, or is empty."""

    everything_goes: bool = False
    held: frozenset[str] = frozenset()
    doubt: str = ""
    previewed_at: datetime | None = None
    """Nothing is spared for having been touched where there is none."""

    def kept(self, deployment: "Deployment", store: Store, keys: list[bytes]) -> set[bytes]:
        """Return those of a page's keys that stay. Raises `Away` when the store does not answer."""
        if self.everything_goes or not keys:
            return set()
        kept = {key for key in keys if store.task_id(key) in self.held} if self.held else set()
        if self.doubt:
            kept |= _unfinished(deployment, store, keys)
        least = RECENTLY.total_seconds() if self.doubt else self.least_idle()
        return kept | touched_keys(store, keys, least, unknown_too=bool(self.doubt))

    def touched(self, store: Store, kept: Collection[bytes]) -> int:
        """Return how many of these stay for no more than that somebody has touched them."""
        if self.doubt:
            return 0  # what they stay for is uncertain, which is said
        return sum(store.task_id(key) not in self.held for key in kept)

    def named(self, store: Store) -> tuple[bytes, ...] | None:
        """Return the keys of a store that stay, where a server needs to know no more than that and `least_idle`.

        None where it does: the rows have to be asked about each key, or the names are too many to send with each page.
        """
        if self.everything_goes:
            return ()
        if self.doubt or len(self.held) > _MOST_NAMED:
            return None
        return tuple(store.prefix + one.encode() for one in self.held)

    def least_idle(self) -> float:
        """Return for how many seconds, from now, nobody has touched what may go; 0 where that does not count."""
        if self.everything_goes or self.previewed_at is None:
            return 0.0
        # Not less than the resolution, where another machine has shown it whose clock is ahead.
        age = max(utc_now() - self.previewed_at, timedelta(0))
        return (age + RESOLUTION).total_seconds()

    def notes(self) -> tuple[Note, ...]:
        """Return what the person must know about it."""
        if self.everything_goes:
            text = "Running tasks lose their progress and the lines they logged so far (--all)."
            return (Note(text=text, tone=Tone.WARNING),)
        if self.doubt:
            text = (
                f"Who runs now is not certain: {self.doubt} So the keys of tasks that the rows call unfinished stay, "
                f"and every key touched in the last {duration(RECENTLY)}."
            )
            return (Note(text=text, tone=Tone.WARNING),)
        return ()


def keeping(
    deployment: "Deployment", *, everything_goes: bool, previewed_at: datetime | None = None
) -> Keeping:
    """Ask the workers what they have, now, and say what is therefore to be kept. Never raises for who is away."""
    if everything_goes:
        return Keeping(everything_goes=True)
    try:
        view = deployment.fleet.workers.look(Deadline.after(_LOOK_SECONDS), fresh=True)
    except Away as problem:
        return Keeping(doubt=plain(problem.what, 200), previewed_at=previewed_at)
    capped = any(
        worker.waiting > len(worker.reserved) or worker.postponed > len(worker.scheduled)
        for worker in view.workers
    )
    finishing, why = all_finishing(deployment, view)
    doubt = plain(why, 200) if view.complete else f"{headcount(view)}."
    return Keeping(
        held=frozenset(task.id for task in view.held) | finishing,
        doubt=doubt
        or ("the workers have too many waiting tasks to name them all." if capped else ""),
        previewed_at=previewed_at,
    )


def _unfinished(deployment: "Deployment", store: Store, keys: list[bytes]) -> set[bytes]:
    by_id = {store.task_id(key): key for key in keys}
    try:
        with reading(deployment.engine) as connection:
            rows = rows_by_ids(connection, by_id)
    except Away:
        return set(
            keys
        )  # neither the workers nor the rows can tell, so nothing is certain to be over
    return {by_id[one] for one, row in rows.items() if row.state in WITH_WORKERS}
