"""INSERT … ON CONFLICT and long lists, which SQLite and PostgreSQL both have, each in its own words."""

import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, String, Table, any_, func, literal, select
from sqlalchemy.dialects import sqlite


def insert_into(connection: Connection, table: Table) -> Any:
    """Return an INSERT of the dialect in use, which knows ON CONFLICT."""
    if connection.dialect.name == "postgresql":
        # Imported here and below: a shell on SQLite, which starts anew for every word, would load it in vain.
        from sqlalchemy.dialects import postgresql

        return postgresql.insert(table)
    return sqlite.insert(table)


def upsert(connection: Connection, table: Table) -> Any:
    """Return a statement that inserts whole rows, and replaces those whose primary key is there already."""
    insert = insert_into(connection, table)
    keys = [column.name for column in table.primary_key]
    others = {c.name: insert.excluded[c.name] for c in table.columns if c.name not in keys}
    return insert.on_conflict_do_update(index_elements=keys, set_=others)


def add_to(connection: Connection, table: Table, amount: str) -> Any:
    """Return a statement that adds the given figure to the column `amount`, from zero where there is no row yet."""
    insert = insert_into(connection, table)
    keys = [column.name for column in table.primary_key]
    total = table.c[amount] + insert.excluded[amount]
    return insert.on_conflict_do_update(index_elements=keys, set_={amount: total})


def among(
    connection: Connection, column: ColumnElement[str], values: Sequence[str]
) -> ColumnElement[bool]:
    """Return the condition that a column is one of any number of values: as one parameter, however many they are."""
    if connection.dialect.name == "postgresql":
        from sqlalchemy.dialects import postgresql

        return column == any_(literal(list(values), postgresql.ARRAY(String)))
    listed = func.json_each(json.dumps(list(values))).table_valued("value")
    return column.in_(select(listed.c.value))
