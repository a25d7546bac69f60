"""Many rows are counted a portion at a time, exactly: no statement meets PostgreSQL's limit, whatever others write."""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, insert, text

from knowledge_base_agent.problems import Away
from knowledge_base_agent.records import portions, states
from knowledge_base_agent.records.batches import change_counts
from knowledge_base_agent.records.cleared import bring_rows_back
from knowledge_base_agent.records.clearing import clear, clear_candidates, how_many_to_clear
from knowledge_base_agent.records.database import (
    open_engine,
    reading,
    reading_one_moment,
    writing,
)
from knowledge_base_agent.records.hidden import Span
from knowledge_base_agent.records.tables import TASKS
from tests.records.entries import entry, recorded
from tests.records.hidden import LATER, NOON_UTC, hides_as_it_says
from tests.records.test_clearing import remember

FEW = 60


@pytest.fixture
def small_portions(monkeypatch: pytest.MonkeyPatch) -> None:
    """Portions that a few rows fill."""
    monkeypatch.setattr(portions, "_PORTION", FEW)
    monkeypatch.setattr(portions, "_TURN", FEW)


def fill(engine: Engine, seconds: Iterator[float]) -> int:
    rows = [
        {"id": f"t-{n}", "name": "n", "state": "SUCCESS", "attempt": 0, "retries": 0}
        | {"updated_at": NOON_UTC + timedelta(seconds=at)}
        for n, at in enumerate(seconds)
    ]
    with writing(engine) as connection:
        connection.execute(insert(TASKS), rows)
        change_counts(connection, Counter({"SUCCESS": len(rows)}))
    return len(rows)


@pytest.mark.usefixtures("small_portions")
@pytest.mark.parametrize("alike", [1, 7, FEW - 1, FEW, FEW + 1, 5 * FEW])
def test_rows_of_the_same_moment_are_counted_once(engine: Engine, alike: int) -> None:
    total = fill(engine, (n // alike for n in range(6 * FEW + 1)))
    with reading_one_moment(engine) as connection:
        for span in (Span(), Span(since=NOON_UTC), Span(until=LATER)):
            found = list(portions.portions(connection, "SUCCESS", span))
            assert sum(number for _, number in found) == total
            for one, number in found:
                assert portions._rows(connection, "SUCCESS", one) == number
        assert portions.rows_in(connection, "FAILURE", Span()) == 0
        assert portions.rows_in(connection, "SUCCESS", Span(until=NOON_UTC)) == 0


@pytest.mark.usefixtures("small_portions")
@pytest.mark.parametrize("older", [0, 1, FEW - 1, FEW, FEW + 1, 3 * FEW, 5 * FEW, 6 * FEW])
def test_of_the_rows_before_a_moment_and_since_only_the_fewer_are_counted(
    engine: Engine, older: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[int] = []
    of_the_next = portions._next

    def told(*which: Any) -> tuple[int, datetime]:
        number, last = of_the_next(*which)
        read.append(number)
        return number, last

    monkeypatch.setattr(portions, "_next", told)
    total = fill(engine, iter(range(6 * FEW)))
    moment = NOON_UTC + timedelta(seconds=older)
    with reading_one_moment(engine) as connection:
        side, fewer = portions.smaller_side(connection, "SUCCESS", moment)
        assert fewer == (older if side.before else total - older)
        assert sum(read) <= 2 * min(older, total - older) + 3 * (FEW + 1)
        assert side.rows_before(connection, fewer) == older
        assert side.rows_before(connection) == older
        assert how_many_to_clear(connection, ("SUCCESS",), moment) == older
        assert how_many_to_clear(connection, ("SUCCESS", "FAILURE"), moment) == older


@pytest.mark.usefixtures("small_portions")
def test_a_row_that_moves_meanwhile_is_counted_where_it_was(engine: Engine) -> None:
    total = fill(engine, iter(range(4 * FEW)))
    beside = open_engine(engine.url.render_as_string(hide_password=False))
    with reading_one_moment(engine) as connection:
        found = portions.portions(connection, "SUCCESS", Span())
        _, number = next(found)
        with writing(beside) as other:
            other.exec_driver_sql("UPDATE tasks SET state = 'FAILURE' WHERE id = 't-200'")
            other.exec_driver_sql("UPDATE tasks SET updated_at = '2030-01-01' WHERE id = 't-1'")
        assert number + sum(more for _, more in found) == total
    beside.dispose()


def test_a_long_look_takes_one_processor_and_the_next_reader_as_many_as_before(
    postgres_url: str,
) -> None:
    engine = open_engine(postgres_url)
    with reading(engine) as connection:
        before = connection.scalar(text("SHOW max_parallel_workers_per_gather"))
    with reading_one_moment(engine) as connection:
        assert connection.scalar(text("SHOW max_parallel_workers_per_gather")) == "0"
        assert connection.scalar(text("SHOW transaction_isolation")) == "repeatable read"
    with reading(engine) as connection:
        assert connection.scalar(text("SHOW max_parallel_workers_per_gather")) == before
        assert connection.scalar(text("SHOW transaction_isolation")) == "read committed"
    engine.dispose()


@pytest.mark.usefixtures("small_portions")
def test_a_first_clear_of_more_rows_than_a_statement_may_count(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(portions, "_PORTION", FEW // 3)
    slow = open_engine(postgres_url, deadline=60)
    many = fill(slow, iter(range(1_200)))
    remember(slow, entry(states.FAILURE, "another", at=5))
    a_millisecond_a_row(slow)
    engine = open_engine(postgres_url, deadline=1.0)
    with pytest.raises(Away, match="statement timeout"), reading(engine) as connection:
        connection.scalar(text("SELECT count(*) FROM tasks"))

    with reading_one_moment(engine) as connection:
        found = clear_candidates(connection, (), LATER)
        assert how_many_to_clear(connection, (), LATER) == many + 1
    assert found.by_state == {"SUCCESS": many, "FAILURE": 1}
    assert clear(engine, states=found.states, cutoff=LATER, aside="k0") == found.by_state

    as_before(slow)
    assert recorded(slow) == {}
    hides_as_it_says(slow)
    assert sum(step.back for step in bring_rows_back(slow, "k0")) == many + 1
    for one in (engine, slow):
        one.dispose()


def a_millisecond_a_row(engine: Engine) -> None:
    """Let each row of `tasks` that is read take a millisecond; an index leads to them, as where they are many."""
    with writing(engine) as connection:
        connection.exec_driver_sql("ALTER TABLE tasks RENAME TO all_tasks")
        connection.exec_driver_sql(
            "CREATE VIEW tasks AS SELECT * FROM all_tasks WHERE pg_sleep(0.001) IS NOT NULL"
        )
        name = connection.scalar(text("SELECT current_database()"))
        for one in ("seqscan", "bitmapscan", "sort"):
            connection.exec_driver_sql(f'ALTER DATABASE "{name}" SET enable_{one} = off')


def as_before(engine: Engine) -> None:
    with writing(engine) as connection:
        connection.exec_driver_sql("DROP VIEW tasks")
        connection.exec_driver_sql("ALTER TABLE all_tasks RENAME TO tasks")


@pytest.mark.usefixtures("small_portions")
def test_a_counter_that_tells_fewer_rows_than_are_there_is_not_believed(engine: Engine) -> None:
    fill(engine, iter(range(6 * FEW)))
    with writing(engine) as connection:
        connection.exec_driver_sql("UPDATE task_counts SET tasks = 0")
    older = 5 * FEW
    with reading_one_moment(engine) as connection:
        moment = NOON_UTC + timedelta(seconds=older)
        assert how_many_to_clear(connection, ("SUCCESS",), moment) == older
