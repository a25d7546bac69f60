"""Row 5: rows by state, from kept counters, against counting them all."""

from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Engine, text

from bench.grounds import postgres, sqlite
from bench.measuring import Timing, interleaved
from bench.rows import Figure, Goal, Outcome, Row, Scale, at_most, milliseconds
from knowledge_base_agent.records.database import open_engine, reading
from knowledge_base_agent.records.task_history import counts, counts_by_scan

_FILL = {
    "sqlite": "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :many) ",
    "postgresql": "WITH n(i) AS (SELECT generate_series(1, :many)) ",
}


def fill(engine: Engine, many: int) -> None:
    """Write so many rows, a quarter in each of four states, and counters that say so."""
    state = "CASE i % 4 WHEN 0 THEN 'SUCCESS' WHEN 1 THEN 'FAILURE' WHEN 2 THEN 'REVOKED' ELSE 'STARTED' END"
    postgresql = engine.dialect.name == "postgresql"
    rows = (
        "INSERT INTO tasks (id, name, state, attempt, retries, redelivered, args_shortened, updated_at) "
        f"{_FILL[engine.dialect.name]}SELECT 'task-' || i, 'shop.pay', {state}, 1, 0, :no, :no, :at FROM n"
    )
    at = datetime(2026, 1, 1, tzinfo=UTC if postgresql else None)
    with engine.begin() as connection:
        if postgresql:
            connection.execute(text("SET LOCAL statement_timeout = 0"))
        connection.execute(text(rows), {"many": many, "no": False, "at": at})
        counted = "INSERT INTO task_counts (state, tasks) SELECT state, count(*) FROM tasks GROUP BY state"
        connection.execute(text(counted))


def _read(engine: Engine) -> object:
    with reading(engine) as connection:
        return counts(connection)


def _scan(engine: Engine) -> object:
    with engine.connect() as connection:
        return counts_by_scan(connection)


def _measured(url: str, many: int, scale: Scale) -> dict[str, Timing]:
    engine = open_engine(url, deadline=600)
    fill(engine, many)
    found = interleaved(
        {"ours": lambda: _read(engine), "GROUP BY": lambda: _scan(engine)},
        rounds=scale.choose(200, 20),
        every={"GROUP BY": scale.choose(50, 10)},
    )
    equal = _read(engine) == _scan(engine)
    engine.dispose()
    assert equal, "the counters differ from a count of the rows"
    return found


def _counts(scale: Scale) -> Outcome:
    figures: list[Figure] = []
    goals: list[Goal] = []
    costs: dict[str, float] = {}
    for name, ground, most in (
        ("SQLite", sqlite, 10_000_000),
        ("PostgreSQL", postgres, 10_000_000),
    ):
        many = scale.choose(most, 20_000)
        with ground() as url:
            found = _measured(url, many, scale)
            if name == "SQLite":
                size = Path(url.removeprefix("sqlite:///")).stat().st_size
                costs["bytes a row"] = size / many
        ours = found["ours"].median
        figures += [
            milliseconds(f"{name}, {many:,} rows: ours", ours),
            milliseconds(f"{name}, {many:,} rows: GROUP BY", found["GROUP BY"].median),
        ]
        goals.append(at_most(f"{name}", ours * 1000, 1, smoke=20, unit="ms"))
    return Outcome(figures=tuple(figures), goals=tuple(goals), costs=costs)


COUNTS = Row(number=5, title="Rows by state", run=_counts, needs=("PostgreSQL",))
