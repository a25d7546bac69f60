"""Several processes bring the schema up to date at the same moment, as a deployment's release step may."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from knowledge_base_agent.records.database import open_engine, reading
from knowledge_base_agent.records.schema import newest_revision, schema_revision
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
