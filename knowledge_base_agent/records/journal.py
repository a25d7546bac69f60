"""What a runbook has done: its steps are planned before the first, and each is written before and after it is done.

A step that is found "started" and not ended was cut short: nobody knows how far it came, so it is looked at again.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import Connection, insert, select, update

from knowledge_base_agent.clock import utc_now
from knowledge_base_agent.problems import NotFound
from knowledge_base_agent.records.journal_tables import JOURNAL_STEPS


class StepState(StrEnum):
    """How far a step is. Only DONE is never done again."""

    PLANNED = "planned"
    STARTED = "started"
    DONE = "done"
    UNVERIFIED = "unverified"


@dataclass(frozen=True, kw_only=True)
class JournalStep:
    """One step of one run. `at` (aware UTC) is when it came into this state."""

    run_id: str
    position: int
    name: str
    state: StepState
    detail: str
    at: datetime


def plan(connection: Connection, run_id: str, names: Sequence[str]) -> None:
    """Write down all steps of a new run."""
    now = utc_now()
    rows = [
        {
            "run_id": run_id,
            "position": position,
            "name": name,
            "state": StepState.PLANNED.value,
            "detail": "",
            "at": now,
        }
        for position, name in enumerate(names, start=1)
    ]
    connection.execute(insert(JOURNAL_STEPS), rows)


def mark(
    connection: Connection, run_id: str, position: int, state: StepState, detail: str = ""
) -> None:
    """Write what has become of a step. Raises `NotFound` when it was never planned."""
    table = JOURNAL_STEPS
    changed = connection.execute(
        update(table)
        .where(table.c.run_id == run_id, table.c.position == position)
        .values(state=state.value, detail=detail[:2000], at=utc_now())
    )
    if changed.rowcount != 1:
        raise NotFound(f"Step {position} of {run_id} is in no journal.", "Begin a new run.")


def steps_of(connection: Connection, run_id: str) -> tuple[JournalStep, ...]:
    """Return the steps of a run in their order; nothing for an unknown one."""
    table = JOURNAL_STEPS
    rows = connection.execute(
        select(table).where(table.c.run_id == run_id).order_by(table.c.position)
    ).mappings()
    return tuple(JournalStep(**{**row, "state": StepState(row["state"])}) for row in rows)


def newest_run(connection: Connection) -> tuple[JournalStep, ...]:
    """Return the steps of the run that was written to last; nothing when there was none."""
    table = JOURNAL_STEPS
    newest = connection.scalar(select(table.c.run_id).order_by(table.c.at.desc()).limit(1))
    return () if newest is None else steps_of(connection, newest)
