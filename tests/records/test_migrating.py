"""Several processes bring the schema up to date at the same moment, as a deployment's release step may."""

import subprocess
import sys
from collections.abc import Iterator
from importlib import resources
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import text

from knowledge_base_agent.audit_outbox import unposted
from knowledge_base_agent.records.audit_verifying import verify
from knowledge_base_agent.records.database import open_engine, reading, writing
from knowledge_base_agent.records.migrate import migrate
from knowledge_base_agent.records.schema import newest_revision, schema_revision
from tests.records.audit_tampering import happened
from tests.records.deployment import ROOT
from tests.servers import postgres_database

TOGETHER = 4


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database in which nothing is yet."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'kb.sqlite3'}"
        return
    with postgres_database() as url:
        yield url


def test_processes_that_migrate_at_once_all_succeed_and_migrate_once(empty_database: str) -> None:
    line = [sys.executable, "-m", "knowledge_base_agent.cli", "migrate"]
    environment = {"DATABASE_URL": empty_database, "PATH": "/usr/bin:/bin"}
    started = [
        subprocess.Popen(line, cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True)
        for _ in range(TOGETHER)
    ]
    said = [process.communicate(timeout=60)[1] for process in started]
    assert [process.returncode for process in started] == [0] * TOGETHER, said
    engine = open_engine(empty_database)
    with reading(engine) as connection:
        assert schema_revision(connection) == newest_revision()
    engine.dispose()


def test_an_audit_from_before_the_chain_is_chained_in_its_order_without_the_gaps(
    empty_database: str,
) -> None:
    up_to(empty_database, "0007")
    engine = open_engine(empty_database)
    entry = text(
        "INSERT INTO audit_entries (id, at, actor_id, actor_name, surface, kind, operation, words, detail, place)"
        " VALUES (:id, '2026-11-23 03:12:05.000004', 'U1', 'Otto', 'slack', 'ended', 'clear', :words, '', '')"
    )
    with writing(engine) as connection:
        for number in (1, 2, 5, 9, 1500, 2501):
            connection.execute(entry, {"id": number, "words": f"clear {number}"})
    migrate(empty_database)
    happened(engine, 2)
    verified = verify(engine)
    waiting = [(one.id, one.words) for one in unposted(engine)]
    engine.dispose()
    assert (verified.looked, verified.broken) == (9, None)  # the head of that day came along
    assert waiting[:6] == [
        (place, f"clear {number}") for place, number in enumerate((1, 2, 5, 9, 1500, 2501), 1)
    ]
    assert [words for _, words in waiting[6:]] == ["", "stats 0", "stats 1"]


def up_to(database_url: str, revision: str) -> None:
    """Bring a database to an older schema."""
    engine = open_engine(database_url, create=True)
    config = Config()
    folder = resources.files("knowledge_base_agent.records") / "migrations"
    config.set_main_option("script_location", str(folder))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
    engine.dispose()
