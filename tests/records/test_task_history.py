"""What the history answers."""

from datetime import UTC, datetime, timedelta

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine

from knowledge_base_agent.records import (
    alerts_tables,
    cleared_tables,
    journal_tables,
    keepsake_tables,
    lease_tables,
    road_tables,
    standing_orders_tables,
    states,
    tables,
)
from knowledge_base_agent.records.agent_state import read_agent_state, set_idle, set_running
from knowledge_base_agent.records.batches import write_entries
from knowledge_base_agent.records.database import METADATA, reading, writing
from knowledge_base_agent.records.recorder_state import read_recorder_state
from knowledge_base_agent.records.task_history import counts, latest, rows_by_ids, unfinished
from tests.records.entries import NOON, entry, life

_NOON = datetime.fromtimestamp(NOON / 1_000_000, UTC)


def test_the_migrations_make_the_tables_that_the_code_uses(engine: Engine) -> None:
    parts = (
        tables.TASKS,
        road_tables.AUDIT,
        journal_tables.JOURNAL_STEPS,
        cleared_tables.CLEARED_TASKS,
        keepsake_tables.KEEPSAKES,
        lease_tables.LEASES,
        alerts_tables.ALERTS,
        standing_orders_tables.PAUSES,
    )
    assert all(one.metadata is METADATA for one in parts)
    with reading(engine) as connection:
        differences = compare_metadata(MigrationContext.configure(connection), METADATA)

    assert differences == []


def test_an_empty_history_has_no_counts_and_no_recorder(engine: Engine) -> None:
    with reading(engine) as connection:
        assert counts(connection) == {}
        assert read_recorder_state(connection) is None
        assert rows_by_ids(connection, ["nothing"]) == {}


def test_unfinished_tasks_are_those_that_started_long_ago_the_longest_first(engine: Engine) -> None:
    with writing(engine) as connection:
        write_entries(connection, life("a")[:3])
        write_entries(connection, [entry(states.STARTED, "b", at=1), entry("PROGRESS", "b", at=60)])
        write_entries(connection, [entry(states.STARTED, "young", at=3600), *life("done")])
        write_entries(connection, life("queued")[:1])

    with reading(engine) as connection:
        found = unfinished(connection, started_before=_NOON + timedelta(minutes=10))

    assert [(record.id, record.state) for record in found] == [("b", "PROGRESS"), ("a", "STARTED")]


def test_the_latest_failures_come_first(engine: Engine) -> None:
    with writing(engine) as connection:
        write_entries(connection, [entry(states.FAILURE, f"f{n}", at=n) for n in range(5)])
        write_entries(connection, [entry(states.REVOKED, "r", at=3.5), *life("ok")])

    with reading(engine) as connection:
        since = _NOON + timedelta(seconds=2)
        both = latest(connection, states=["FAILURE", "REVOKED"], limit=3)
        few = latest(connection, states=["FAILURE"], since=since, limit=9)

    assert [record.id for record in both] == ["f4", "r", "f3"]
    assert [record.id for record in few] == ["f4", "f3", "f2"]


def test_the_agent_is_idle_until_it_says_otherwise(engine: Engine) -> None:
    with writing(engine) as connection:
        assert read_agent_state(connection).status == "idle"
        set_running(connection, task_id="t1", source="docs", phase="fetch", started_at=_NOON)
        first = read_agent_state(connection)
        set_running(connection, task_id="t1", source="docs", phase="parse", started_at=_NOON)
        second = read_agent_state(connection)

    assert (second.status, second.phase, second.task_id) == ("running", "parse", "t1")
    assert second.started_at == first.started_at == _NOON
    with writing(engine) as connection:
        assert not set_idle(connection, only_task="another"), "a run that is over ends no other"
        assert set_idle(connection, only_task="t1")
        assert read_agent_state(connection).status == "idle"
