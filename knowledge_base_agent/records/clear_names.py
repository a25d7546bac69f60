"""Whose rows a clear would remove: the names of their tasks and queues, as far as they can be told in time.

No index has them, so each row is read, and PostgreSQL ends the statement that reads very many. They are read a portion
at a time; what is not told within the time for all of them is unknown, and never nothing.
"""

import time
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, select
from sqlalchemy.exc import OperationalError

from knowledge_base_agent.records.clear_steps import EVERY
from knowledge_base_agent.records.clearing import parts_to_clear, states_to_clear
from knowledge_base_agent.records.tables import TASKS
from knowledge_base_agent.records.task_filter import TaskFilter

_PORTION: Final = 50_000
"""Rows that PostgreSQL reads within a small part of its limit, where they are in its memory."""
_WITHIN: Final = 10.0
"""Seconds for all portions: a part of what a preview may take."""
_ENDED: Final = "57014"
"""SQLSTATE of a statement that took longer than it may."""


@dataclass(frozen=True, kw_only=True)
class NamesToClear:
    """Names of tasks, and of their queues: None where a row does not know its queue."""

    tasks: frozenset[str]
    queues: frozenset[str | None]
    complete: bool
    """False where there may be others, of which nothing is known."""


def names_to_clear(
    connection: Connection,
    states: Collection[str],
    older_than: datetime,
    wanted: TaskFilter = EVERY,
) -> NamesToClear:
    """Return the names of what `clear_candidates` counts, all of them or those that were found in time."""
    among = replace(wanted, states=states_to_clear(states), until=older_than)
    found: set[tuple[str, str | None]] = set()
    complete = _found(connection, among, found)
    return NamesToClear(
        tasks=frozenset(name for name, _ in found),
        queues=frozenset(queue for _, queue in found),
        complete=complete,
    )


def _found(connection: Connection, among: TaskFilter, found: set[tuple[str, str | None]]) -> bool:
    """Add what is found, and tell whether that is all."""
    query = select(TASKS.c.name, TASKS.c.queue).distinct()
    until = time.monotonic() + _WITHIN
    try:
        with connection.begin_nested():  # so that the rest of the transaction can go on
            for one, number in parts_to_clear(connection, among, rows=_PORTION):
                if time.monotonic() > until:
                    return False
                if number != 0:
                    found.update(
                        (name, queue) for name, queue in connection.execute(query.where(one))
                    )
    except OperationalError as error:
        if getattr(error.orig, "sqlstate", None) != _ENDED:
            raise
        return False
    return True
