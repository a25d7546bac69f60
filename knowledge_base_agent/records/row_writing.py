"""Writing whole rows of `tasks`, many at once: what the recorder does most, past SQLAlchemy's treatment of each value.

It writes what SQLAlchemy would have written (`test_row_writing.py` reads it back), for a third of the processor time.
"""

from collections.abc import Collection
from datetime import datetime, timedelta
from functools import cache
from operator import attrgetter
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, Dialect

from knowledge_base_agent.records.database import UtcDateTime
from knowledge_base_agent.records.merging import TaskRow
from knowledge_base_agent.records.tables import TASKS

_EPOCH: Final = datetime(1970, 1, 1)  # noqa: DTZ001 - SQLite keeps times without their zone, in UTC
_NAMES: Final = tuple(column.name for column in TASKS.columns)
_TIMES: Final = tuple(c.name for c in TASKS.columns if isinstance(c.type, UtcDateTime))
_TIME_PLACES: Final = tuple(_NAMES.index(name) for name in _TIMES)
_CELLS: Final = attrgetter(*_NAMES)
_REPLACING: Final = "ON CONFLICT (id) DO UPDATE SET " + ", ".join(
    f"{name} = excluded.{name}" for name in _NAMES if name != "id"
)


def write_rows(connection: Connection, rows: Collection[TaskRow]) -> None:
    """Insert rows, or replace those whose id is there already. No id may come twice."""
    if connection.dialect.name == "postgresql":
        # One parameter, taken apart by the server: the driver's work for each value would cost more than all else.
        packed = msgspec.json.encode(list(rows)).decode()
        connection.exec_driver_sql(_for_postgresql(connection.dialect), (packed,))
    else:
        connection.exec_driver_sql(_for_sqlite(), [_cells(row) for row in rows])


def _cells(row: TaskRow) -> tuple[Any, ...]:
    cells = list(_CELLS(row))
    for place in _TIME_PLACES:
        if cells[place] is not None:
            moment = _EPOCH + timedelta(microseconds=cells[place])
            cells[place] = moment.isoformat(" ", "microseconds")
    return tuple(cells)


@cache
def _for_sqlite() -> str:
    marks = ", ".join("?" for _ in _NAMES)
    return f"INSERT INTO tasks ({', '.join(_NAMES)}) VALUES ({marks}) {_REPLACING}"  # noqa: S608 - our own names


@cache
def _for_postgresql(dialect: Dialect) -> str:
    times = {name: f"timestamptz 'epoch' + {name} * interval '1 microsecond'" for name in _TIMES}
    cells = ", ".join(times.get(name, name) for name in _NAMES)
    shape = ", ".join(f"{c.name} {_kind(c, dialect)}" for c in TASKS.columns)
    taken = f"SELECT {cells} FROM json_to_recordset(%s::json) AS given({shape})"  # noqa: S608 - our own names
    return f"INSERT INTO tasks ({', '.join(_NAMES)}) {taken} {_REPLACING}"


def _kind(column: Any, dialect: Dialect) -> str:
    return "bigint" if column.name in _TIMES else str(column.type.compile(dialect))
