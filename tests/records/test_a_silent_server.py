"""A PostgreSQL that says nothing is waited for as long as was said, and no longer: by a statement, and by a request."""

import contextlib
import time
from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import Engine, text

from knowledge_base_agent.problems import Away, MaybeWritten
from knowledge_base_agent.records import postgresql
from knowledge_base_agent.records.database import open_engine, reading, writing
from knowledge_base_agent.records.silence import bearing, unhurried
from tests.faults.proxy import Proxy, proxy_to

DEADLINE = 0.5
LONGEST = DEADLINE + 1.0
LATE = 1.0
"""What a busy machine may take on top."""


@pytest.fixture
def proxy(postgres_url: str) -> Iterator[Proxy]:
    """Stands before the server."""
    with proxy_to(postgres_url) as lent:
        yield lent


@pytest.fixture
def engine(postgres_url: str, proxy: Proxy) -> Iterator[Engine]:
    """Has one connection, and has used it."""
    opened = open_engine(proxy.url(postgres_url), deadline=DEADLINE)
    with reading(opened) as connection:
        connection.execute(text("SELECT 1"))
    yield opened
    proxy.heal()
    opened.dispose()


def seconds_until_away(engine: Engine, first: Callable[[], None] = lambda: None) -> float:
    began = time.monotonic()
    with contextlib.suppress(Away):
        with reading(engine) as connection:
            first()
            began = time.monotonic()
            connection.execute(text("SELECT 1"))
        raise AssertionError("the server answered")
    return time.monotonic() - began


def written(engine: Engine, before_commit: Callable[[], None], before: Callable[[], None]) -> None:
    with writing(engine) as connection:
        connection.execute(text("SELECT 1"))
        before()
        connection.execute(text("SELECT 2"))
        before_commit()


def test_a_statement_ends_though_the_server_keeps_no_deadline(engine: Engine, proxy: Proxy) -> None:
    took = seconds_until_away(engine, proxy.black_hole)
    assert LONGEST <= took < LONGEST + LATE


def test_a_server_that_keeps_its_deadline_says_so_itself(engine: Engine) -> None:
    with pytest.raises(Away, match="statement timeout"), reading(engine) as connection:
        connection.execute(text("SELECT pg_sleep(60)"))


def test_what_one_request_asks_after_it_has_waited_in_vain_ends_at_once(
    engine: Engine, proxy: Proxy
) -> None:
    proxy.black_hole()
    with bearing(1.5):
        assert seconds_until_away(engine) < 1.5 + LATE
        assert all(seconds_until_away(engine) < 0.1 for _ in range(3))
        with unhurried():
            assert seconds_until_away(engine) > 1.0, "what has begun is recorded with patience"
    proxy.heal()
    with bearing(1.5), reading(engine) as connection:
        assert connection.execute(text("SELECT 3")).scalar_one() == 3


def test_what_answers_costs_nothing_of_the_patience(engine: Engine) -> None:
    with bearing(0.3), reading(engine) as connection:
        for _ in range(5):
            connection.execute(text("SELECT pg_sleep(0.1)"))


def test_a_commit_without_an_answer_may_have_been_written_and_any_other_statement_was_not(
    engine: Engine, proxy: Proxy
) -> None:
    with pytest.raises(MaybeWritten):
        written(engine, proxy.black_hole, lambda: None)
    proxy.heal()
    with pytest.raises(Away) as raised:
        written(engine, lambda: None, proxy.black_hole)
    assert not isinstance(raised.value, MaybeWritten)


def connection_number(engine: Engine) -> int:
    with reading(engine) as connection:
        return int(connection.execute(text("SELECT pg_backend_pid()")).scalar_one())


def test_a_connection_that_was_used_a_moment_ago_is_not_asked_whether_it_is_there(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent = []
    plain = postgresql.BoundedConnection.wait

    def counted(self: postgresql.BoundedConnection, *arguments: object) -> object:
        sent.append(1)
        return plain(self, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(postgresql.BoundedConnection, "wait", counted)
    connection_number(engine)
    alone = len(sent)
    monkeypatch.setattr(postgresql, "_FRESH_SECONDS", 0.0)
    sent.clear()
    connection_number(engine)
    assert len(sent) > alone, "a connection that was long idle is asked"


def test_a_connection_that_was_closed_a_moment_ago_is_replaced_unnoticed(
    engine: Engine, proxy: Proxy
) -> None:
    before = connection_number(engine)
    proxy.cut()
    assert connection_number(engine) != before


def test_reads_apart_wait_for_no_begin_and_no_rollback_and_the_next_ones_do(engine: Engine) -> None:
    moment = text("SELECT transaction_timestamp()")
    with reading(engine, apart=True) as connection:
        assert connection.scalar(moment) != connection.scalar(moment)
    with reading(engine) as connection:
        assert connection.scalar(moment) == connection.scalar(moment)
    with writing(engine) as connection:
        assert connection.scalar(moment) == connection.scalar(moment)
