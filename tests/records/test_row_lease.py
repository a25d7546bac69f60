"""Of several processes one does the work, and another takes over when it is gone."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import Engine

from knowledge_base_agent.records.database import open_engine
from knowledge_base_agent.records.row_lease import TTL, RowLease
from tests.waiting import wait_until


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """The database that two processes share."""
    opened = open_engine(database_url)
    yield opened
    opened.dispose()


def two(engine: Engine, ttl: timedelta = TTL) -> tuple[RowLease, RowLease]:
    """Two processes that want the same."""
    return RowLease(engine, "work", ttl=ttl), RowLease(engine, "work", ttl=ttl)


def test_one_holds_it_until_it_is_let_go(engine: Engine) -> None:
    first, second = two(engine)
    assert first.hold()
    assert not second.hold()
    assert first.hold()
    first.release()
    assert second.hold()
    assert not first.hold()


def test_another_takes_over_from_one_that_is_gone(engine: Engine) -> None:
    gone, second = two(engine, timedelta(seconds=0.5))
    assert gone.hold()
    wait_until(second.hold, within=5, what="the lease runs out")
