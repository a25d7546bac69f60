"""Of several processes one does the work, and another takes over when it is gone."""

from datetime import timedelta

from knowledge_base_agent.records.database import open_engine
from knowledge_base_agent.records.row_lease import TTL, RowLease
from tests.waiting import wait_until


def two(url: str, ttl: timedelta = TTL) -> tuple[RowLease, RowLease]:
    """Two processes that want the same."""
    first, second = (RowLease(open_engine(url), "work", ttl=ttl) for _ in range(2))
    return first, second


def test_one_holds_it_until_it_is_let_go(database_url: str) -> None:
    first, second = two(database_url)
    assert first.hold()
    assert not second.hold()
    assert first.hold()
    first.release()
    assert second.hold()
    assert not first.hold()


def test_another_takes_over_from_one_that_is_gone(database_url: str) -> None:
    gone, second = two(database_url, timedelta(seconds=0.5))
    assert gone.hold()
    wait_until(second.hold, within=5, what="the lease runs out")
