"""Entries about questions wait for the database, in order, and whoever ends the process hears what was not written."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, select

from knowledge_base_agent.audit import Kind, Spool, entry_of, named
from knowledge_base_agent.operations.operation import Target
from knowledge_base_agent.records.database import open_engine, reading, writing
from knowledge_base_agent.records.road_tables import AUDIT
from tests.records.audit_tampering import OTTO


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


def test_what_waited_for_a_lock_is_written_when_the_lock_is_gone(engine: Engine) -> None:
    spool = Spool(engine)
    with writing(engine):
        spool.add(entry_of(OTTO, Kind.REQUESTED, "stats"))
    assert spool.close(within=20) is True
    assert operations(engine) == ["stats"]


def test_the_end_says_that_something_could_not_be_written(tmp_path: Path) -> None:
    engine = open_engine(
        f"sqlite:///{tmp_path / 'without tables.sqlite3'}", deadline=0.1, create=True
    )
    spool = Spool(engine)
    spool.add(entry_of(OTTO, Kind.REQUESTED, "stats"))
    assert spool.close(within=20) is False
    engine.dispose()


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
