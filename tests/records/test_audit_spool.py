"""Entries about questions wait for the database, in order, and whoever ends the process hears what was not written."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from msgspec.structs import replace
from sqlalchemy import Engine, String, event, select

from knowledge_base_agent import audit_spool
from knowledge_base_agent.audit import Kind, entry_of, kind_of, named, write
from knowledge_base_agent.audit_spool import Spool
from knowledge_base_agent.operations.operation import Target
from knowledge_base_agent.problems import Away, NotFound, Problem, Refused, Repeated
from knowledge_base_agent.records.database import open_engine, reading, writing
from knowledge_base_agent.records.road_tables import AUDIT
from tests.records.audit_tampering import OTTO
from tests.waiting import wait_until


class Frozen(Target):
    """A target of each kind of value."""

    ids: tuple[str, ...] = ()
    queue: str = ""
    everything: bool = False
    number: int = 0


@pytest.fixture
def engine(sqlite_url: str) -> Iterator[Engine]:
    """A database that waits a tenth of a second for its lock."""
    opened = open_engine(sqlite_url, deadline=0.1)
    yield opened
    opened.dispose()


def operations(engine: Engine) -> list[str]:
    with reading(engine) as connection:
        return list(connection.execute(select(AUDIT.c.operation).order_by(AUDIT.c.id)).scalars())


def test_all_that_waits_is_written_in_order_and_the_end_says_so(engine: Engine) -> None:
    spool = Spool(engine)
    for number in range(150):
        spool.add(entry_of(OTTO, Kind.REQUESTED, f"op{number}"))
    assert spool.close(within=20) is True
    written = [one for one in operations(engine) if one.startswith("op")]
    assert written == [f"op{number}" for number in range(150)]


def test_where_more_than_one_write_takes_waits_nothing_is_waited_for(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else an outage's ten thousand entries would take a tenth of a second a hundred."""
    monkeypatch.setattr(audit_spool, "_GATHERED_SECONDS", 60)
    spool = Spool(engine)
    with spool._news:  # all of them before it looks
        for number in range(2 * audit_spool._BATCH):
            spool.add(entry_of(OTTO, Kind.REQUESTED, f"op{number}"))
    wait_until(lambda: len(operations(engine)) >= 2 * audit_spool._BATCH, what="all are written")
    assert spool.close() is True


def test_a_refusal_is_written_at_once_with_what_waits_before_it(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit_spool, "_GATHERED_SECONDS", 60)
    spool = Spool(engine)
    spool.add(entry_of(OTTO, Kind.REQUESTED, "asked"))
    spool.add(entry_of(OTTO, Kind.REFUSED, "refused"))
    wait_until(lambda: operations(engine)[-2:] == ["asked", "refused"], what="both are written")
    assert spool.close() is True


@contextmanager
def locked(engine: Engine) -> Iterator[list[object]]:
    """Hold the database's lock, and lend the list of what failed because of it."""
    failed: list[object] = []
    event.listen(engine, "handle_error", failed.append)
    with writing(engine):
        yield failed


def test_what_waited_for_a_lock_is_written_when_the_lock_is_gone(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit_spool, "_RETRY_SECONDS", 0.01)
    spool = Spool(engine)
    with locked(engine) as failed:
        spool.add(entry_of(OTTO, Kind.REQUESTED, "stats"))
        wait_until(lambda: len(failed) > 1, what="it was tried twice in vain")
    wait_until(lambda: operations(engine), what="the entry was written")
    assert spool.close(within=20) is True
    assert operations(engine) == ["stats"]


def test_what_has_waited_is_written_a_hundred_at_a_time(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit_spool, "_RETRY_SECONDS", 0.01)
    commits: list[object] = []
    spool = Spool(engine)
    with locked(engine) as failed:
        spool.add(entry_of(OTTO, Kind.REQUESTED, "op"))
        wait_until(lambda: failed, what="the first one was tried")
        for _ in range(201):
            spool.add(entry_of(OTTO, Kind.REQUESTED, "op"))
        event.listen(engine, "commit", commits.append)
    wait_until(lambda: operations(engine).count("op") == 202, what="all of them were written")
    assert spool.close(within=20) is True
    assert len(commits) == 1 + 4  # the lock's own; and one, a hundred, a hundred, one


def test_the_end_says_that_something_could_not_be_written(tmp_path: Path) -> None:
    engine = open_engine(
        f"sqlite:///{tmp_path / 'without tables.sqlite3'}", deadline=0.1, create=True
    )
    spool = Spool(engine)
    spool.add(entry_of(OTTO, Kind.REQUESTED, "stats"))
    assert spool.close(within=5) is False
    assert not writers(), "whoever could not write has given up"
    engine.dispose()


def writers() -> list[threading.Thread]:
    return [one for one in threading.enumerate() if one.name == "audit-spool"]


def test_what_writes_has_a_name_in_a_dump_of_stacks_and_keeps_no_process_alive(
    engine: Engine,
) -> None:
    spool = Spool(engine)
    assert [one.daemon for one in writers()] == [True]
    assert spool.close(within=20) is True
    assert writers() == []


def test_what_is_too_long_for_its_column_is_cut_to_it(engine: Engine) -> None:
    long = replace(OTTO, id="U" * 300, name="o" * 300)
    entry = entry_of(long, Kind.REQUESTED, "operation" * 30, place="C" * 300)
    with writing(engine) as connection:
        write(connection, entry)
    with reading(engine) as connection:
        row = connection.execute(select(AUDIT)).mappings().one()
    for name in ("actor_id", "operation", "place"):
        assert len(row[name]) == width(name), name
    assert len(row["actor_name"]) <= width("actor_name")


def width(name: str) -> int:
    """Return how many characters a column takes on PostgreSQL; SQLite would take any number."""
    kind = AUDIT.c[name].type
    assert isinstance(kind, String)
    return kind.length or 0


@pytest.mark.parametrize(
    ("problem", "kind"),
    [
        (Refused("You may not.", "Ask an admin."), Kind.REFUSED),
        (Repeated("It runs already.", "Wait."), Kind.REPEATED),
        (NotFound("There is none.", "Choose another."), Kind.FAILED),
        (Away("No answer.", "Look at it.", source="the shelf"), Kind.FAILED),
    ],
)
def test_what_a_problem_is_called_in_the_audit(problem: Problem, kind: Kind) -> None:
    assert kind_of(problem) is kind


@pytest.mark.parametrize(
    ("target", "said"),
    [
        (Frozen(), ""),
        (Frozen(ids=("a", "b"), number=3), "[ids: a, b; number: 3]"),
        (Frozen(ids=tuple("abcdefghij")), "[ids: a, b, c, d, e, f, g, h, i, j]"),
        (
            Frozen(ids=tuple("abcdefghijkl")),
            "[ids: a, b, c, d, e, f, g, h, i, j and 2 more]",
        ),
        (Frozen(queue="agent", everything=True), "[queue: agent; everything: True]"),
    ],
)
def test_the_channel_is_told_what_was_frozen_by_at_most_ten_names(
    target: Frozen, said: str
) -> None:
    assert named(target) == said
