"""Clearing old rows: what would go, and the removal itself; `clear_steps.py` says how others can write meanwhile.

A clear acts on states and an absolute cutoff, never on "older than 12 h from now". A row is as old as its `updated_at`:
the end of a finished task, else the beginning of its present state.
"""

import hashlib
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final

from sqlalchemy import (
    ColumnElement,
    Connection,
    Engine,
    Integer,
    and_,
    func,
    literal_column,
    select,
)

from knowledge_base_agent.problems import Misunderstood
from knowledge_base_agent.records.clear_steps import EVERY, Removal, Step, steps
from knowledge_base_agent.records.hidden import Span, clearings, gaps, seen_parts
from knowledge_base_agent.records.hiding import hidden_ids, hide
from knowledge_base_agent.records.portions import portions, smaller_side
from knowledge_base_agent.records.states import STATES, WITH_WORKERS
from knowledge_base_agent.records.tables import TASKS
from knowledge_base_agent.records.task_filter import TaskFilter
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
    among = replace(wanted, states=chosen, until=older_than)
    found = _by_state(connection, among)
    return ClearCandidates(
        states=chosen,
        cutoff=older_than,
        by_state={state: one[0] for state, one in found.items()},
        digests={state: _digest(connection, *one[1:]) for state, one in found.items()},
        sample=eldest(connection, among, limit=_SAMPLE),
    )


def _by_state(connection: Connection, wanted: TaskFilter) -> dict[str, list[int]]:
    """Return the number of rows of each state, and the sums that tell them from others."""
    query = select(TASKS.c.state, func.count(), *_which(connection)).group_by(TASKS.c.state)
    found: dict[str, list[int]] = {}
    for among, number in parts_to_clear(connection, wanted):
        for state, *figures in connection.execute(query.where(among)) if number != 0 else ():
            before = found.get(state)
            found[state] = _together(before, figures) if before else figures
    return dict(sorted(found.items()))


def parts_to_clear(
    connection: Connection, wanted: TaskFilter, *, rows: int | None = None
) -> Iterator[tuple[ColumnElement[bool], int | None]]:
    """Yield conditions, of which each row that is seen and meant fulfils one, and how many do where that is known.

    Where only states and age are asked for, PostgreSQL is given a portion at a time; with `rows`, either database is
    given about so many at a time.
    """
    active, dialect = clearings(connection), connection.dialect.name
    one_look = rows is None and dialect != "postgresql"
    if one_look or replace(wanted, states=(), until=None) != EVERY:
        yield from ((one, None) for one in seen_parts(active, wanted, dialect))
        return
    until = Span(until=wanted.until)
    for state in wanted.states:
        for gap in gaps(active, state, wanted.until):
            for span, number in portions(connection, state, gap, rows=rows):
                yield and_(TASKS.c.state == state, span.condition()), number
        mine = (one for one in active if one.state == state and one.sparing)
        yield from ((one.spares(until), None) for one in mine)


def _together(one: list[int], other: list[int]) -> list[int]:
    """Add up the number and the sum of two sets of rows; what comes after these is a highest number."""
    sums = [a + b for a, b in zip(one[:2], other[:2], strict=True)]
    return [*sums, *(max(a, b) for a, b in zip(one[2:], other[2:], strict=True))]


def how_many_to_clear(
    connection: Connection,
    states: Collection[str],
    older_than: datetime,
    wanted: TaskFilter = EVERY,
) -> int:
    """Return the total of `clear_candidates` alone: where all rows of an age go, it counts those that stay if fewer.

    Ask within `reading_one_moment`.
    """
    chosen = states_to_clear(states)
    total = 0
    if replace(wanted, states=(), until=None) == EVERY:
        hiding = {one.state for one in clearings(connection)}
        for state in set(chosen) - hiding:
            side, fewer = smaller_side(connection, state, older_than)
            total += side.rows_before(connection, fewer)
        chosen = tuple(state for state in chosen if state in hiding)
        if not chosen:  # no state at all would mean every one
            return total
    query = select(func.count()).select_from(TASKS)
    among = replace(wanted, states=chosen, until=older_than)
    for one, number in parts_to_clear(connection, among):
        total += (connection.scalar(query.where(one)) or 0) if number is None else number
    return total


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

    With `aside` they are kept under that keepsake instead of removed: hidden where they are, in one step, unless
    `wanted` chooses some of them, which are moved.

    Each short step commits with its counters. After it, `told` gets the number removed so far and `gone` ids of rows
    that are gone; what either raises ends the clear after that step. Raises `Away` when the database can't be written.
    """
    removed: Counter[str] = Counter()
    only = replace(wanted, states=(), until=None)
    for state in states_to_clear(states) if states else ():
        each = Removal(state=state, cutoff=cutoff, wanted=only, aside=aside, ids=gone is not None)
        for step in _removed(engine, each):
            removed[state] += step.removed
            if gone is not None:
                gone(step.ids)
            told(removed.total())
    return {state: n for state, n in removed.items() if n}


def _removed(engine: Engine, each: Removal) -> Iterator[Step]:
    if each.aside is not None and each.wanted == EVERY:
        number, made = hide(engine, state=each.state, cutoff=each.cutoff, keepsake_id=each.aside)
        if number:
            yield Step(removed=number, ids=[])
        for one in made if each.ids else ():
            yield from (Step(removed=0, ids=ids) for ids in hidden_ids(engine, one))
    with steps(engine, each) as rest:
        yield from rest
