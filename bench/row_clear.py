"""Row 9: most of a history cleared, with undo kept, while somebody else writes; against one DELETE.

What can be undone is hidden, and removed when nobody can undo it any more: that is timed too, and has no goal.
"""

import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Engine, text

from bench.grounds import postgres, settle, space
from bench.measuring import Timing
from bench.others import other
from bench.rows import Figure, Goal, Outcome, Row, Scale, at_least, at_most, milliseconds
from knowledge_base_agent.actors import NOBODY, acting
from knowledge_base_agent.deployment import open_deployment
from knowledge_base_agent.operations.clear import CLEAR, ClearTarget
from knowledge_base_agent.operations.operation import given
from knowledge_base_agent.records.cleared import free_rows
from knowledge_base_agent.records.database import open_engine, reading
from knowledge_base_agent.records.migrate import migrate
from knowledge_base_agent.records.task_history import counts, counts_by_scan
from knowledge_base_agent.runner import silent
from tests.fleet.tiny_app import tiny_app
from tests.records.deployment import settings_for
from tests.servers import RedisSpace

_RHYTHM = 0.1
"""Seconds that the other writer is alone at first: what begins while it starts would wait for its start."""
_CUTOFF, _NOTHING = datetime(2027, 1, 1, tzinfo=UTC), datetime(2020, 1, 1, tzinfo=UTC)
_ROW = {
    "sqlite": (
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :many) ",
        "lower(hex(randomblob(16)))",
        # As SQLAlchemy writes a time there: six digits after the point.
        "strftime('%Y-%m-%d %H:%M:%f', '2026-01-01', '+' || (i * 0.03) || ' seconds') || '000'",
    ),
    "postgresql": (
        "WITH n(i) AS (SELECT generate_series(1, :many)) ",
        "gen_random_uuid()::text",
        "timestamptz '2026-01-01 00:00:00+00' + i * interval '30 milliseconds'",
    ),
}
_COLUMNS = "name, queue, worker, args_repr, attempt, retries, redelivered, args_shortened"


def fill(engine: Engine, many: int) -> None:
    """Write so many rows as a history has them: random ids, one time after the other, nine of ten a SUCCESS."""
    numbers, task_id, at = _ROW[engine.dialect.name]
    rows = (
        f"INSERT INTO tasks (id, state, {_COLUMNS}, published_at, started_at, finished_at, updated_at) "
        f"{numbers}SELECT {task_id}, CASE i % 10 WHEN 0 THEN 'FAILURE' ELSE 'SUCCESS' END, 'shop.pay', 'celery', "
        f"'w1@host', '[1, 2]', 1, 0, :no, :no, {at}, {at}, {at}, {at} FROM n"
    )
    with engine.begin() as connection:
        connection.execute(text(rows), {"many": many, "no": False})
        counted = "INSERT INTO task_counts (state, tasks) SELECT state, count(*) FROM tasks GROUP BY state"
        connection.execute(text(counted))


Work = Callable[[], None]
Prepared = Callable[[str, RedisSpace], AbstractContextManager[Work]]
"""Opens what the work needs: a bot that is asked to clear has been connected for long."""


@contextmanager
def _one_delete(url: str, _ground: RedisSpace) -> Iterator[Work]:
    engine = open_engine(url, deadline=600)
    with reading(engine) as connection:
        counts(connection)

    def work() -> None:
        with engine.begin() as connection:
            gone = connection.execute(text("DELETE FROM tasks WHERE state = 'SUCCESS'")).rowcount
            less = text("UPDATE task_counts SET tasks = tasks - :n WHERE state = 'SUCCESS'")
            connection.execute(less, {"n": gone})

    yield work
    engine.dispose()


@contextmanager
def _ours(url: str, ground: RedisSpace) -> Iterator[Work]:
    with tiny_app(ground.broker_url, ground.result_url) as app:
        deployment = open_deployment(settings_for(ground, url), app)

        def work(cutoff: datetime = _CUTOFF) -> None:
            target = ClearTarget(states=("SUCCESS",), cutoff=cutoff)
            with acting(NOBODY, "op-1"):
                report = given(CLEAR.run)(deployment, target, silent)
            assert report.succeeded, report.text

        # What Celery and SQLAlchemy make at their first use, a bot has made long before: nothing is as old as this.
        work(_NOTHING)
        yield work
        deployment.close()


@contextmanager
def _sqlite_copies(many: int) -> Iterator[Callable[[], str]]:
    with tempfile.TemporaryDirectory(prefix="kb-bench-") as folder:
        base = Path(folder, "base.sqlite3")
        engine = open_engine(f"sqlite:///{base}", deadline=600)
        migrate(f"sqlite:///{base}")
        fill(engine, many)
        engine.dispose()  # the last connection brings the write-ahead log into the file

        def copy() -> str:
            for old in Path(folder).glob("kb.*"):
                old.unlink()
            shutil.copy(base, Path(folder, "kb.sqlite3"))
            return f"sqlite:///{folder}/kb.sqlite3"

        yield copy


@contextmanager
def _postgres_copies(many: int) -> Iterator[Callable[[], str]]:
    with postgres() as url:
        engine = open_engine(url, deadline=600)

        def anew() -> str:
            with engine.begin() as connection:
                for table in ("tasks", "task_counts", "cleared_tasks", "clearings", "keepsakes"):
                    connection.execute(text(f"TRUNCATE {table}"))
            fill(engine, many)
            settle(engine)
            return url

        yield anew
        engine.dispose()


def _round(url: str, ground: RedisSpace, prepared: Prepared) -> tuple[float, float]:
    with prepared(url, ground) as work, other("writer", url) as waits:
        time.sleep(_RHYTHM)
        started = time.perf_counter()
        work()
        took = time.perf_counter() - started
    engine = open_engine(url)
    with reading(engine) as connection:
        assert dict(counts(connection)) == dict(counts_by_scan(connection)), "counters are true"
    engine.dispose()
    return took, waits.most


def _measured(fresh: Callable[[], str], rounds: int) -> dict[str, tuple[Timing, Timing]]:
    @contextmanager
    def nobody(_url: str, _ground: RedisSpace) -> Iterator[Work]:
        # As long as ours: of more waits the longest is longer.
        yield lambda: time.sleep(found["ours"][-1][0])

    # Nobody has the database as ours has left it, a moment before: a server that has just been filled is not idle.
    contestants = {"ours": _ours, "nobody": nobody, "one DELETE": _one_delete}
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in contestants}
    url = ""
    with space() as ground:
        for _ in range(rounds):
            for name, prepared in contestants.items():
                url = url if name == "nobody" else fresh()
                found[name].append(_round(url, ground, prepared))
    return {
        name: (
            Timing(seconds=tuple(took for took, _ in each)),
            Timing(seconds=tuple(waited for _, waited in each)),
        )
        for name, each in found.items()
    }


@contextmanager
def _free(url: str, _ground: RedisSpace) -> Iterator[Work]:
    engine = open_engine(url)
    with reading(engine) as connection:
        kept = list(connection.scalars(text("SELECT DISTINCT keepsake_id FROM clearings")))

    def work() -> None:
        for one in kept:
            list(free_rows(engine, one))

    yield work
    engine.dispose()


def _removal(fresh: Callable[[], str]) -> tuple[float, float]:
    """Return the seconds that it takes to remove what is hidden, and that another writer waits at most meanwhile."""
    url = fresh()
    with space() as ground:
        with _ours(url, ground) as work:
            work()
        return _round(url, ground, _free)


def _goals(name: str, found: dict[str, tuple[Timing, Timing]]) -> list[Goal]:
    (ours, waited), (_, idle), (one, stalled) = found.values()
    wall = ours.median / one.median
    if name == "SQLite":
        shorter = stalled.median / waited.median
        return [
            at_most(f"{name}: of the time of one DELETE", wall, 4.5, smoke=100),
            at_least(f"{name}: writers wait shorter", shorter, 50, smoke=0.1),
        ]
    of_idle = waited.median / idle.median
    return [
        at_most(f"{name}: of the time of one DELETE, which keeps nothing", wall, 1.5, smoke=300),
        at_most(f"{name}: writers' wait, of an idle server's", of_idle, 1.5, smoke=100),
    ]


def _clear(scale: Scale) -> Outcome:
    figures: list[Figure] = []
    goals: list[Goal] = []
    costs: dict[str, float] = {}
    many = scale.choose(1_000_000, 20_000)
    for name, copies in (("SQLite", _sqlite_copies), ("PostgreSQL", _postgres_copies)):
        with copies(many) as fresh:
            found = _measured(fresh, scale.choose(15 if name == "PostgreSQL" else 3, 1))
            removal, beside = _removal(fresh)
        (ours, waited), (_, idle), (one, stalled) = found.values()
        figures += [
            milliseconds(f"{name}, {many * 9 // 10:,} of {many:,} rows: ours", ours.median),
            milliseconds(f"{name}: one DELETE", one.median),
            milliseconds(f"{name}: another writer's longest wait meanwhile: ours", waited.median),
            milliseconds(f"{name}: … one DELETE", stalled.median),
            milliseconds(f"{name}: … nobody", idle.median),
            milliseconds(f"{name}: removed a day later, in the background", removal),
            milliseconds(f"{name}: another writer's longest wait meanwhile", beside),
        ]
        goals += _goals(name, found)
        costs[f"rows cleared a second, {name}"] = many * 0.9 / (ours.median + removal)
    return Outcome(figures=tuple(figures), goals=tuple(goals), costs=costs)


CLEAR_ROW = Row(
    number=9, title="Most of a history cleared, with undo kept", run=_clear, needs=("PostgreSQL",)
)
