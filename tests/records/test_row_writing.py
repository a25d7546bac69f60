"""What the recorder writes past SQLAlchemy reads back as if SQLAlchemy had written it: every column, odd values too."""

import dataclasses
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Engine, insert, select, update

from knowledge_base_agent.records.database import reading, writing
from knowledge_base_agent.records.merging import TaskRow
from knowledge_base_agent.records.row_writing import write_rows
from knowledge_base_agent.records.tables import TASKS

NAMES = tuple(column.name for column in TASKS.columns)
WHOLE_SECOND = 1_795_000_000_000_000
LAST_MICROSECOND = 7_258_118_399_999_999  # of the year 2199
ODD = "100 % of 'it', \"quoted\", \\u0000 \\, {braces}, :colon, ?, $1, \n\t, é, 💥"
FULL = TaskRow(
    id="full", name=ODD, queue=ODD, state="FAILURE", attempt=2**40, retries=3, redelivered=True, worker=ODD,
    process_id=2**62, published_at=WHOLE_SECOND, received_at=WHOLE_SECOND + 1, started_at=1,
    finished_at=LAST_MICROSECOND, updated_at=WHOLE_SECOND - 1, eta=WHOLE_SECOND + 100_000, time_limit=0.1,
    parent_id="p", root_id="r", args_repr="", args_shortened=True, error_class="ValueError", error_message=ODD,
    traceback=ODD * 200,
)  # fmt: skip
BARE = TaskRow(id="bare", state="PENDING")


def _cells(row: TaskRow) -> dict[str, Any]:
    cells = {name: getattr(row, name) for name in NAMES}
    for name in ("published_at", "received_at", "started_at", "finished_at", "updated_at", "eta"):
        if cells[name] is not None:
            cells[name] = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=cells[name])
    return cells


def _rows(engine: Engine) -> dict[str, dict[str, Any]]:
    with reading(engine) as connection:
        return {row["id"]: dict(row) for row in connection.execute(select(TASKS)).mappings()}


def test_rows_read_back_as_they_were_given(engine: Engine) -> None:
    with writing(engine) as connection:
        write_rows(connection, [FULL, BARE])

    assert _rows(engine) == {"full": _cells(FULL), "bare": _cells(BARE)}


def test_a_row_that_is_there_is_replaced_whole(engine: Engine) -> None:
    with writing(engine) as connection:
        connection.execute(insert(TASKS), [_cells(FULL), _cells(BARE)])
        emptied = dataclasses.replace(BARE, id="full")
        filled = dataclasses.replace(FULL, id="bare")
        write_rows(connection, [emptied, filled])

    assert _rows(engine) == {"full": _cells(emptied), "bare": _cells(filled)}


def test_times_compare_with_those_that_sqlalchemy_binds(engine: Engine) -> None:
    """SQLite compares them as text, so a shape of its own would sort wrongly without ever failing to be read."""
    with writing(engine) as connection:
        write_rows(connection, [FULL, BARE])
        for name in ("published_at", "received_at", "finished_at", "updated_at", "eta"):
            same = TASKS.c[name] == _cells(FULL)[name]
            assert connection.execute(update(TASKS).where(same).values(queue="q")).rowcount == 1, (
                name
            )
