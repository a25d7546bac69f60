"""Moving rows of `tasks` to the table of cleared ones."""

from typing import Final

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Delete,
    Insert,
    delete,
    insert,
    literal,
    select,
)

from knowledge_base_agent.records.cleared_tables import CLEARED_TASKS
from knowledge_base_agent.records.tables import TASKS

NAMES: Final = tuple(column.name for column in TASKS.columns)


def move_out(
    connection: Connection, among: ColumnElement[bool], keepsake_id: str, *, ids: bool
) -> tuple[int, list[str]]:
    """Move rows of `tasks` aside under a keepsake. The counters are the caller's.

    Return how many they were, and with `ids` whose.
    """
    names = ["keepsake_id", *NAMES]
    gone = delete(TASKS).where(among)
    if connection.dialect.name == "postgresql":
        # One statement: a row that comes between two would be removed and not kept.
        cte = gone.returning(*TASKS.columns).cte("gone")
        rows = select(literal(keepsake_id), *(cte.c[name] for name in NAMES))
        moved = insert(CLEARED_TASKS).from_select(names, rows).add_cte(cte)
        return _done(connection, moved, CLEARED_TASKS.c.id if ids else None)
    rows = select(literal(keepsake_id), *TASKS.columns).where(among)
    connection.execute(insert(CLEARED_TASKS).from_select(names, rows))
    return _done(connection, gone, TASKS.c.id if ids else None)


def _done(
    connection: Connection, change: Insert | Delete, returned: Column[str] | None
) -> tuple[int, list[str]]:
    if returned is None:
        # Without the option an INSERT is not asked how many rows it wrote.
        counted = connection.execute(change, execution_options={"preserve_rowcount": True})
        return counted.rowcount, []
    found = list(connection.scalars(change.returning(returned)))
    return len(found), found
