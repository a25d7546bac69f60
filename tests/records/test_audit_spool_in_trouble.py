"""An entry that can't be written costs no other, none is written twice, and none is lost without a word in the log."""

from collections.abc import Iterator, MutableMapping
from contextlib import closing
from typing import Any

import pytest
import structlog
from msgspec.structs import replace
from sqlalchemy import Engine, select

from knowledge_base_agent import audit_spool
from knowledge_base_agent.audit import Entry, Kind, entry_of
from knowledge_base_agent.audit_spool import Spool
from knowledge_base_agent.records.database import open_engine, reading, writing
from knowledge_base_agent.records.road_tables import AUDIT
from tests.faults.proxy import Proxy, proxy_to
from tests.records.audit_tampering import OTTO
from tests.waiting import wait_until

UNWRITABLE = replace(OTTO, id="U\ud83d")
"""Of a person whose id no database can store: half a surrogate pair."""


Lines = list[MutableMapping[str, Any]]


@pytest.fixture
def logged() -> Iterator[Lines]:
    """What is logged."""
    with structlog.testing.capture_logs() as lines:
        yield lines


@pytest.fixture
def held(sqlite_url: str) -> Iterator[Engine]:
    """A database that waits a tenth of a second for its lock."""
    opened = open_engine(sqlite_url, deadline=0.1)
    yield opened
    opened.dispose()


def asked(operation: str) -> Entry:
    return entry_of(OTTO, Kind.REQUESTED, operation)


def operations(engine: Engine) -> list[str]:
    with reading(engine) as connection:
        return list(connection.execute(select(AUDIT.c.operation).order_by(AUDIT.c.id)).scalars())


def test_one_that_the_database_refuses_costs_no_other_and_is_told(
    engine: Engine, logged: Lines
) -> None:
    spool = Spool(engine)
    with spool._news:  # all in one batch
        for entry in (asked("a"), entry_of(UNWRITABLE, Kind.REQUESTED, "b"), asked("c")):
            spool.add(entry)
    wait_until(lambda: len(operations(engine)) == 2, what="the others are written")
    spool.add(asked("d"))
    assert spool.close() is False
    assert operations(engine) == ["a", "c", "d"]
    (line,) = logged
    assert (line["event"], line["operation"]) == ("audit entry could not be written", "b")
    assert spool.trouble == "it was refused (UnicodeEncodeError)."


def test_half_of_a_pair_is_left_out_of_what_somebody_typed(engine: Engine) -> None:
    spool = Spool(engine)
    spool.add(entry_of(OTTO, Kind.REQUESTED, "search", words="search \ud83dx", detail="\udc00y"))
    assert spool.close() is True
    with reading(engine) as connection:
        row = connection.execute(select(AUDIT.c.words, AUDIT.c.detail)).one()
    assert tuple(row) == ("search x", "y")


@pytest.fixture
def proxy(postgres_url: str) -> Iterator[Proxy]:
    """What may keep a PostgreSQL from answering."""
    with proxy_to(postgres_url) as lent:
        yield lent
        lent.heal()


@pytest.fixture
def connected(
    proxy: Proxy, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[Engine, Spool]]:
    """One that has written an entry already, through that."""
    monkeypatch.setattr(audit_spool, "_RETRY_SECONDS", 0.05)
    engine = open_engine(proxy.url(postgres_url), deadline=0.5)
    with closing(Spool(engine)) as spool:
        spool.add(asked("warm"))
        wait_until(lambda: operations(engine) == ["warm"], what="it is connected")
        yield engine, spool
        proxy.heal()
    engine.dispose()


def test_what_was_written_though_the_answer_was_lost_is_not_written_again(
    connected: tuple[Engine, Spool], proxy: Proxy
) -> None:
    engine, spool = connected
    proxy.black_hole_after(b"COMMIT")
    with spool._news:
        for number in range(5):
            spool.add(asked(f"op{number}"))
    wait_until(lambda: "unknown" in spool.trouble, what="the answer is lost")
    proxy.heal()
    spool.add(asked("later"))
    wait_until(lambda: "later" in operations(engine), what="it goes on")
    assert operations(engine) == ["warm", *(f"op{number}" for number in range(5)), "later"]


def test_what_was_not_written_when_its_connection_broke_is_written(
    connected: tuple[Engine, Spool], proxy: Proxy
) -> None:
    engine, spool = connected
    proxy.cut_at(b"COMMIT")
    spool.add(asked("once"))
    wait_until(lambda: "unknown" in spool.trouble, what="the connection broke")
    wait_until(lambda: operations(engine)[1:], what="it is written")
    assert operations(engine) == ["warm", "once"]


def test_all_that_is_left_at_the_end_is_logged(held: Engine, logged: Lines) -> None:
    spool = Spool(held)
    with writing(held):
        for number in range(250):
            spool.add(entry_of(OTTO, Kind.REFUSED, f"op{number}"))
        assert spool.close() is False
    spool.add(asked("too late"))
    _waited, lost, late = logged
    assert [one["operation"] for one in lost["entries"]] == [f"op{number}" for number in range(250)]
    assert (late["operation"], late["reason"]) == ("too late", "it came after the end")
