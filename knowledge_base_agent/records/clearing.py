"""Clearing old rows: what would go, and the removal itself in short steps that let other writers in between.

A clear acts on states and an absolute cutoff, never on "older than 12 h from now". A row is as old as its `updated_at`:
the end of a finished task, else the beginning of its present state.
"""

import hashlib
import time
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Engine, delete, func, select

from knowledge_base_agent.problems import Misunderstood
from knowledge_base_agent.records.batches import change_counts
from knowledge_base_agent.records.database import writing
from knowledge_base_agent.records.states import STATES, WITH_WORKERS
from knowledge_base_agent.records.tables import TASKS
from knowledge_base_agent.records.task_history import TaskRecord, oldest

CLEARED_BY_AGE: Final = tuple(state for state in STATES if state not in WITH_WORKERS)
"""The states that a clear takes when none is named: the rows of tasks that a worker has never go by age alone."""

_SAMPLE = 5
_FIRST_STEP = 200
_SHORTEST_STEP, _LONGEST_STEP = 50, 5_000
_STEP_SECONDS: Final = {"sqlite": 0.008, "postgresql": 0.05}
_LOCK_SHARE: Final = {
    "sqlite": 0.3,
    "postgresql": 1.0,
}  # PostgreSQL locks rows; SQLite has one writer for all
_PASSES = 3  # rows that the recorder is writing are passed over, and looked for again

Told = Callable[[int], None]
Gone = Callable[[list[str]], None]


@dataclass(frozen=True, kw_only=True)
class ClearCandidates:
    """The rows that a clear would remove. `cutoff` is aware UTC; `states` are those that are looked at.

    `fingerprint` changes when the set of rows does: its counts, or its oldest and newest row of any state.
    """

    states: tuple[str, ...]
    cutoff: datetime
    by_state: Mapping[str, int]
    sample: list[TaskRecord] = field(repr=False)
    fingerprint: str

    @property
    def total(self) -> int:
        """How many rows it would remove."""
        return sum(self.by_state.values())


def states_to_clear(named: Collection[str]) -> tuple[str, ...]:
    """Return the states that a clear takes: those named, or `CLEARED_BY_AGE` when none is.

    Raises `Misunderstood` for an unknown state.
    """
    for state in named:
        if state not in STATES:
            raise Misunderstood(
                f"“{state[:40]}” is not a state.", f"States are {', '.join(STATES)}."
            )
    return tuple(state for state in STATES if state in named) if named else CLEARED_BY_AGE


def clear_candidates(
    connection: Connection, states: Collection[str], older_than: datetime
) -> ClearCandidates:
    """Return what a clear of these states (none: the default ones) before the cutoff (aware UTC) would remove."""
    chosen = states_to_clear(states)
    at = TASKS.c.updated_at
    query = select(TASKS.c.state, func.count(), func.min(at), func.max(at))
    query = (
        query.where(_matches(chosen, older_than)).group_by(TASKS.c.state).order_by(TASKS.c.state)
    )
    rows = connection.execute(query).all()
    basis = repr((chosen, older_than.isoformat(), [(s, n, str(a), str(b)) for s, n, a, b in rows]))
    return ClearCandidates(
        states=chosen,
        cutoff=older_than,
        by_state={state: n for state, n, _, _ in rows},
        sample=oldest(connection, states=chosen, before=older_than, limit=_SAMPLE),
        fingerprint=hashlib.sha256(basis.encode()).hexdigest()[:32],
    )


def clear(
    engine: Engine,
    *,
    states: Collection[str],
    cutoff: datetime,
    told: Told = lambda done: None,
    gone: Gone = lambda ids: None,
) -> Mapping[str, int]:
    """Remove the rows in exactly these states from before the cutoff (aware UTC); return how many of each state.

    Each short step commits with its counters. After it, `told` gets the number removed so far and `gone` the ids of
    this step; what either raises ends the clear after that step. Raises `Away` when the database can't be written.
    """
    removed: Counter[str] = Counter()
    for state in states_to_clear(tuple(states)) if states else ():
        for _ in range(_PASSES):
            before = removed[state]
            for ids in _Steps(engine, state, cutoff):
                removed[state] += len(ids)
                gone(ids)
                told(removed.total())
            if removed[state] == before:
                break
    return {state: n for state, n in removed.items() if n}


class _Steps:
    """The steps of clearing one state; iterating removes. A step's length follows from how long the last one took."""

    def __init__(self, engine: Engine, state: str, cutoff: datetime) -> None:
        self._engine = engine
        self._state = state
        self._cutoff = cutoff
        self._after: datetime | None = None
        self._length = _FIRST_STEP

    def __iter__(self) -> "_Steps":
        return self

    def __next__(self) -> list[str]:
        with writing(self._engine) as connection:
            # From here on: the wait for the lock is not time that we keep others out.
            began = time.monotonic()
            rows = connection.execute(self._removal()).all()
            if rows:
                change_counts(connection, Counter({self._state: -len(rows)}))
        if not rows:
            raise StopIteration
        self._after = max(row.updated_at for row in rows)
        self._rest(time.monotonic() - began)
        return [row.id for row in rows]

    def _removal(self) -> Any:
        chosen = select(TASKS.c.id).where(_matches((self._state,), self._cutoff))
        if self._after is not None:
            # Without a lower bound, PostgreSQL would walk over all that is already removed, in every step.
            chosen = chosen.where(TASKS.c.updated_at >= self._after)
        chosen = chosen.order_by(TASKS.c.updated_at).limit(self._length)
        if self._engine.dialect.name == "postgresql":
            # Never waits for a row, so it cannot deadlock with the recorder.
            chosen = chosen.with_for_update(skip_locked=True)
        return delete(TASKS).where(TASKS.c.id.in_(chosen)).returning(TASKS.c.id, TASKS.c.updated_at)

    def _rest(self, took: float) -> None:
        dialect = self._engine.dialect.name
        fitting = self._length * _STEP_SECONDS[dialect] / max(took, 1e-4)
        self._length = int(min(max(fitting, _SHORTEST_STEP), self._length * 2, _LONGEST_STEP))
        time.sleep(took * (1 / _LOCK_SHARE[dialect] - 1))


def _matches(states: Collection[str], cutoff: datetime) -> ColumnElement[bool]:
    return TASKS.c.state.in_(list(states)) & (TASKS.c.updated_at < cutoff)
