"""Where the database can't be written, nothing is changed: locked, read-only, and full."""

import contextlib
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import event, select

from knowledge_base_agent.deployment import Deployment, open_deployment
from knowledge_base_agent.problems import Away
from knowledge_base_agent.records.audit_chain import read_head
from knowledge_base_agent.records.database import open_engine, reading, writing
from knowledge_base_agent.records.road_tables import AUDIT
from knowledge_base_agent.requests import Pending
from knowledge_base_agent.runner import Runner
from knowledge_base_agent.settings import Settings
from tests.road.conftest import asked
from tests.road.ledger import ALL, CHANGE, WRITE

FULL_SOON = 40


@contextlib.contextmanager
def locked(deployment: Deployment) -> Iterator[None]:
    """Somebody holds the write lock (SQLite), or the row of which everybody who records needs the lock."""
    other = open_engine(deployment.settings.database_url)
    try:
        with writing(other) as connection:
            read_head(connection, hold=True)
            yield
    finally:
        other.dispose()


@contextlib.contextmanager
def read_only(deployment: Deployment) -> Iterator[None]:
    """The database takes no writes, as a standby or a full volume that was remounted."""
    url = deployment.settings.database_url
    if url.startswith("sqlite"):
        with pragma(deployment, "query_only = ON", "query_only = OFF"):
            yield
        return
    name = sql.Identifier(url.rsplit("/", 1)[1])
    for value in ("on", "off"):
        with psycopg.connect(url, autocommit=True) as admin:
            change = sql.SQL("ALTER DATABASE {} SET default_transaction_read_only = {}")
            admin.execute("SET default_transaction_read_only = off")
            admin.execute(change.format(name, sql.Literal(value)))
        deployment.engine.dispose()  # what is set counts from the next connection
        if value == "on":
            yield


@contextlib.contextmanager
def pragma(deployment: Deployment, on: str, off: str) -> Iterator[None]:
    """Set a pragma on every connection of a deployment, and set it back."""
    said = [on]

    def lent(connection: sqlite3.Connection, *_: object) -> None:
        connection.execute(f"PRAGMA {said[0]}")

    event.listen(deployment.engine, "checkout", lent)
    yield
    said[0] = off


@pytest.mark.parametrize("broken", [locked, read_only])
def test_what_cannot_be_recorded_is_not_done(
    deployment: Deployment,
    runner: Runner,
    ledger: Path,
    broken: Callable[[Deployment], contextlib.AbstractContextManager[None]],
) -> None:
    pending = runner.ask(asked(WRITE, ledger))
    assert isinstance(pending, Pending)
    with broken(deployment):
        with pytest.raises(Away, match="Nothing can be changed meanwhile"):
            runner.ask(asked(CHANGE, ledger))
        with pytest.raises(Away, match="database"):
            runner.confirm(pending.confirmation_id, pending.asked_by)
        assert not ledger.exists()
    runner.execute(runner.confirm(pending.confirmation_id, pending.asked_by))
    assert len(ledger.read_text().splitlines()) == 1


def test_a_disk_that_fills_up_ends_the_changes_with_the_records(
    sqlite_url: str, ledger: Path
) -> None:
    settings = Settings(database_url=sqlite_url, operators=("UOTTO",))
    with contextlib.closing(open_deployment(settings)) as deployment:
        runner = Runner(deployment, ALL)
        # One page: the limit is then the size that the file has already.
        with pragma(deployment, "max_page_count = 1", "max_page_count = 1000000"):
            with pytest.raises(Away, match="full"):
                _ask_until_full(runner, ledger)
            done = len(ledger.read_text().splitlines()) if ledger.exists() else 0
            with reading(deployment.engine) as connection:
                started = select(AUDIT.c.id).where(AUDIT.c.kind == "started")
                recorded = len(connection.execute(started).all())
        assert recorded == done


def _ask_until_full(runner: Runner, ledger: Path) -> None:
    for number in range(FULL_SOON):
        # The same file, spelled anew each time: a run whose end can't be recorded goes on for the next asker.
        runner.ask(asked(CHANGE, f"{ledger.parent}/{'./' * number}{ledger.name}"))
