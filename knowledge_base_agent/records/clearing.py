"""Clearing old rows: what would go, and the removal itself; `clear_steps.py` says how others can write meanwhile.

A clear acts on states and an absolute cutoff, never on "older than 12 h from now". A row is as old as its `updated_at`:
the end of a finished task, else the beginning of its present state.
"""

import hashlib
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final

from sqlalchemy import ColumnElement, Connection, Engine, Integer, func, literal_column, select

from knowledge_base_agent.problems import Misunderstood
from knowledge_base_agent.records.clear_steps import EVERY, Removal, steps
from knowledge_base_agent.records.states import STATES, WITH_WORKERS
from knowledge_base_agent.records.tables import TASKS
from knowledge_base_agent.records.task_filter import TaskFilter, condition
from knowledge_base_agent.records.task_history import TaskRecord
from knowledge_base_agent.records.task_search import eldest

CLEARED_BY_AGE: Final = tuple(state for state in STATES if state not in WITH_WORKERS)
"""The states that a clear takes when none is named: the rows of tasks that a worker has never go by age alone."""

_SAMPLE = 5


@dataclass(frozen=True, kw_only=True)
class ClearCandidates:
    """The rows that a clear would remove. `cutoff` is aware UTC; `states` are those that are looked at.

    `digests` has a text for each state, which is another one when there are as many rows, but others.
    """

    states: tuple[str, ...]
    cutoff: datetime
    by_state: Mapping[str, int]
    digests: Mapping[str, str] = field(repr=False)
    sample: list[TaskRecord] = field(repr=False)

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
    connection: Connection,
    states: Collection[str],
    older_than: datetime,
    wanted: TaskFilter = EVERY,
) -> ClearCandidates:
    """Return what a clear of these states (none: the default ones) before the cutoff (aware UTC) would remove.

    Only rows that `wanted` chooses; its own states and end do not count.
    """
    chosen = states_to_clear(states)
    meant = replace(wanted, states=chosen, until=older_than)
    query = select(TASKS.c.state, func.count(), *_which(connection))
    query = (
        query.where(condition(meant, connection.dialect.name))
        .group_by(TASKS.c.state)
        .order_by(TASKS.c.state)
    )
    rows = connection.execute(query).all()
    return ClearCandidates(
        states=chosen,
        cutoff=older_than,
        by_state={row[0]: row[1] for row in rows},
        digests={row[0]: _digest(connection, *row[2:]) for row in rows},
        sample=eldest(connection, meant, limit=_SAMPLE),
    )


def _which(connection: Connection) -> tuple[ColumnElement[int], ...]:
    """Return sums that tell a set of rows from others, whatever their order, in the scan that counts them.

    SQLite knows no hash, but has the number of each row in every index, so that the table itself is not read. What
    comes later has a higher number than all there are, so as many others have another sum.
    """
    if connection.dialect.name == "postgresql":
        return (func.sum(func.hashtextextended(TASKS.c.id, 0)),)
    number: ColumnElement[int] = literal_column("tasks.rowid", Integer)
    return func.sum(number), func.max(number)


def _digest(connection: Connection, total: int, newest: int | None = None) -> str:
    if newest is None:
        return str(total)
    # The highest number of all is given again once its row has gone: the id says whose it is.
    query = select(TASKS.c.id).where(literal_column("tasks.rowid", Integer) == newest)
    return hashlib.sha256(f"{total} {connection.scalar(query)}".encode()).hexdigest()[:32]


def names_to_clear(
    connection: Connection,
    states: Collection[str],
    older_than: datetime,
    wanted: TaskFilter = EVERY,
) -> tuple[tuple[str, str | None], ...]:
    """Return the task names of what `clear_candidates` counts, each with a queue: None where the row does not know."""
    meant = replace(wanted, states=states_to_clear(states), until=older_than)
    query = select(TASKS.c.name, TASKS.c.queue).where(condition(meant, connection.dialect.name))
    return tuple((name, queue) for name, queue in connection.execute(query.distinct()))


def clear(
    engine: Engine,
    *,
    states: Collection[str],
    cutoff: datetime,
    wanted: TaskFilter = EVERY,
    told: Callable[[int], None] = lambda done: None,
    gone: Callable[[list[str]], None] | None = None,
    aside: str | None = None,
) -> Mapping[str, int]:
    """Remove the rows in exactly these states from before the cutoff (aware UTC); return how many of each state.

    Only rows that `wanted` chooses; its own states and end do not count.

    With `aside` they are moved there, under that keepsake, instead of removed.

    Each short step commits with its counters. After it, `told` gets the number removed so far and `gone` the ids of
    this step; what either raises ends the clear after that step. Raises `Away` when the database can't be written.
    """
    removed: Counter[str] = Counter()
    only = replace(wanted, states=(), until=None)
    for state in states_to_clear(states) if states else ():
        meant = Removal(state=state, cutoff=cutoff, wanted=only, aside=aside, ids=gone is not None)
        with steps(engine, meant) as each:
            for step in each:
                removed[state] += step.removed
                if gone is not None:
                    gone(step.ids)
                told(removed.total())
    return {state: n for state, n in removed.items() if n}
