"""Rows that a clear hides: nobody sees them, the recorder writes beside them, and they end with their time."""

import time
from datetime import timedelta

from sqlalchemy import Engine, select, text

from knowledge_base_agent.records import states
from knowledge_base_agent.records.batches import write_entries
from knowledge_base_agent.records.cleared import bring_rows_back, free_rows
from knowledge_base_agent.records.clearing import clear
from knowledge_base_agent.records.database import open_engine, reading, writing
from knowledge_base_agent.records.hidden import meant
from knowledge_base_agent.records.hidden_tables import CLEARINGS, SPARED_TASKS
from knowledge_base_agent.records.hiding import forget_spared
from knowledge_base_agent.records.tables import TASKS
from knowledge_base_agent.records.task_filter import TaskFilter
from knowledge_base_agent.records.task_history import rows_by_ids
from knowledge_base_agent.records.task_retries import claim_retry
from tests.records.entries import entry, recorded
from tests.records.hidden import LATER, NOON_UTC, aside, hidden


def test_a_clear_by_age_that_can_be_undone_writes_no_row(engine: Engine) -> None:
    hidden(engine)

    assert recorded(engine) == {}
    assert (aside(engine), aside(engine, TASKS), aside(engine, CLEARINGS)) == (0, 6, 1)


def test_what_is_hidden_can_not_be_sent_again(engine: Engine) -> None:
    hidden(engine)
    with writing(engine) as connection:
        why = claim_retry(connection, "t-1", "new", known=None, state="SUCCESS")

    assert why == "it was SUCCESS when this was previewed, and is no longer in the rows"


def test_a_task_that_is_told_of_again_has_a_row_of_its_own(engine: Engine) -> None:
    hidden(engine)
    with writing(engine) as connection:
        write_entries(connection, [entry(states.STARTED, "t-1", at=99)])

    assert recorded(engine) == {"STARTED": 1}
    with reading(engine) as connection:
        row = rows_by_ids(connection, ["t-1"])["t-1"]
    assert (row.finished_at, row.published_at) == (None, None), "nothing of the old one is in it"
    assert aside(engine) == 1


def test_a_late_entry_older_than_the_cutoff_is_seen_and_cleared_by_the_next(engine: Engine) -> None:
    hidden(engine)
    with writing(engine) as connection:
        write_entries(connection, [entry(states.SUCCESS, "late", at=5)])
    assert recorded(engine) == {"SUCCESS": 1}

    assert clear(engine, states=["SUCCESS"], cutoff=LATER, aside="k1") == {"SUCCESS": 1}

    assert recorded(engine) == {}
    assert [step.back for step in bring_rows_back(engine, "k1")] == [1]
    assert [step.back for step in bring_rows_back(engine, "k0")] == [6]
    assert aside(engine, SPARED_TASKS) == 0
    assert recorded(engine) == {"SUCCESS": 7}


def test_many_small_clears_do_not_make_many_ranges(engine: Engine) -> None:
    with writing(engine) as connection:
        write_entries(connection, [entry(states.SUCCESS, f"t-{n}", at=n) for n in range(30)])
    for n in range(30):
        cutoff = NOON_UTC + timedelta(seconds=n + 0.5)
        clear(engine, states=["SUCCESS"], cutoff=cutoff, aside=f"keepsake-{n}")

    assert recorded(engine) == {}
    assert aside(engine, CLEARINGS) <= 8
    for n in range(30):
        list(bring_rows_back(engine, f"keepsake-{n}"))
    assert recorded(engine) == {"SUCCESS": 30}


def test_what_is_over_is_gone_with_its_range_and_its_marks(engine: Engine) -> None:
    hidden(engine)
    with writing(engine) as connection:
        write_entries(connection, [entry(states.SUCCESS, "t-1", at=5)])
    assert aside(engine, SPARED_TASKS) == 1

    list(free_rows(engine, "k0"))

    assert recorded(engine) == {"SUCCESS": 1}
    assert (aside(engine, TASKS), aside(engine)) == (1, 0)
    assert (aside(engine, CLEARINGS), aside(engine, SPARED_TASKS)) == (0, 0)


def test_the_ids_of_what_is_hidden_are_told(engine: Engine) -> None:
    with writing(engine) as connection:
        write_entries(
            connection, [entry(states.SUCCESS, f"t-{n}", at=n // 9) for n in range(4_500)]
        )
    gone: list[str] = []

    clear(engine, states=["SUCCESS"], cutoff=LATER, aside="k0", gone=gone.extend)

    assert sorted(gone) == sorted(f"t-{n}" for n in range(4_500))


def test_many_marks_do_not_keep_postgresql_from_reading_in_time(postgres_url: str) -> None:
    engine, slow = open_engine(postgres_url), open_engine(postgres_url, deadline=60)
    with writing(slow) as connection:
        write_entries(connection, [entry(states.SUCCESS, f"t-{n}", at=n) for n in range(500)])
    clear(engine, states=["SUCCESS"], cutoff=LATER, aside="k0")
    marks = "SELECT number, 'one that came back ' || n FROM clearings, generate_series(1, 200000) n"
    with writing(slow) as connection:
        connection.execute(text(f"INSERT INTO spared_tasks {marks}"))
        connection.execute(text("ANALYZE spared_tasks"))

    with reading(engine) as connection:
        assert rows_by_ids(connection, [f"t-{n}" for n in range(500)]) == {}
    assert recorded(engine) == {}
    for one in (engine, slow):
        one.dispose()


def test_one_late_entry_does_not_make_postgresql_read_the_whole_table(postgres_url: str) -> None:
    engine = open_engine(postgres_url)
    hidden(engine)
    with writing(engine) as connection:
        write_entries(connection, [entry(states.SUCCESS, "late", at=5)])

    with reading(engine) as connection:
        query = select(TASKS.c.id).where(meant(connection, TaskFilter(states=("SUCCESS",))))
        assert list(connection.scalars(query)) == ["late"]
        said = query.compile(connection, compile_kwargs={"literal_binds": True})
        plan = "\n".join(connection.scalars(text(f"EXPLAIN {said}")))
    assert "SubPlan" not in plan, "a filter that no index leads to"
    engine.dispose()


def test_many_marks_are_forgotten_without_passing_those_that_have_gone(postgres_url: str) -> None:
    engine = open_engine(postgres_url)
    with writing(engine) as connection:
        marks = "SELECT 1, 'mark ' || n FROM generate_series(1, 50000) n"
        connection.execute(text(f"INSERT INTO spared_tasks {marks}"))
    began = time.monotonic()

    list(forget_spared(engine))

    assert aside(engine, SPARED_TASKS) == 0
    assert time.monotonic() - began < 7, "a second; 15 when each step begins at the beginning"
    engine.dispose()
