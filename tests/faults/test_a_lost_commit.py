"""PostgreSQL goes silent after a COMMIT was sent: whether it has written is unknown, and that is what is said.

Nothing is run on the strength of it, and once the database answers, what it has written is settled.
"""

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import select

from knowledge_base_agent import runs
from knowledge_base_agent.deployment import Deployment, open_deployment
from knowledge_base_agent.problems import Away, Problem, TooLate
from knowledge_base_agent.records.database import open_engine, reading
from knowledge_base_agent.records.road_tables import AUDIT, CONFIRMATIONS, RUNS
from knowledge_base_agent.requests import Pending
from knowledge_base_agent.runner import Runner
from knowledge_base_agent.settings import Settings
from tests.faults.proxy import Proxy, proxy_to
from tests.road.conftest import OTTO, asked
from tests.road.ledger import ALL, CHANGE, WRITE
from tests.waiting import wait_until

UNKNOWN = "It is unknown whether it has written"


@dataclass(frozen=True, kw_only=True)
class Road:
    """A runner on PostgreSQL behind a proxy, and what its operations write to."""

    runner: Runner
    deployment: Deployment
    proxy: Proxy
    url: str
    ledger: Path

    def rows(self, column: object) -> list[str]:
        """Return a column, read past the proxy."""
        engine = open_engine(self.url)
        with reading(engine) as connection:
            found = list(connection.execute(select(column)).scalars())  # type: ignore[call-overload]
        engine.dispose()
        return found

    def settles(self, tried: Callable[[], bool]) -> None:
        """Let everything through again, and wait until what was left open is settled."""
        self.proxy.heal()

        def settled() -> bool:
            with contextlib.suppress(Away):
                self.runner.expire_due()
            return tried()

        wait_until(settled, within=20, what="it is settled")


@pytest.fixture
def road(postgres_url: str, tmp_path: Path) -> Iterator[Road]:
    """The ledger's road."""
    with proxy_to(postgres_url) as proxy:
        settings = Settings(database_url=proxy.url(postgres_url), operators=("UOTTO",))
        deployment = open_deployment(settings)
        yield Road(
            runner=Runner(deployment, ALL),
            deployment=deployment,
            proxy=proxy,
            url=postgres_url,
            ledger=tmp_path / "ledger",
        )
        proxy.heal()
        deployment.close()


def lost(road: Road, ask: Callable[[], object]) -> Problem:
    """Return what is said where the answer to the COMMIT is lost, after the server has done it."""
    road.proxy.black_hole_after(b"COMMIT")
    with pytest.raises(Away, match=UNKNOWN) as raised:
        ask()
    return raised.value


def test_a_preview_whose_commit_got_no_answer_is_shown_to_nobody_and_cancelled_later(
    road: Road,
) -> None:
    assert isinstance(road.runner.ask(asked(WRITE, road.ledger)), Pending)
    lost(road, lambda: road.runner.ask(asked(WRITE, f"{road.ledger}.other")))
    assert road.rows(CONFIRMATIONS.c.state) == ["pending", "pending"], "the server has written it"
    road.settles(lambda: sorted(road.rows(CONFIRMATIONS.c.state)) == ["cancelled", "pending"])
    assert not road.ledger.exists()
    details = road.rows(AUDIT.c.detail)
    assert sum("nobody was shown it" in detail for detail in details) == 1


def test_a_confirmation_whose_claim_got_no_answer_is_not_run_and_said_to_be_unknown(
    road: Road,
) -> None:
    pending = road.runner.ask(asked(WRITE, road.ledger))
    assert isinstance(pending, Pending)
    problem = lost(road, lambda: road.runner.confirm(pending.confirmation_id, OTTO))
    assert "Nothing was run" in problem.cure
    assert "`ops` tells" in problem.cure
    assert (road.rows(CONFIRMATIONS.c.state), road.rows(RUNS.c.state)) == (["claimed"], ["started"])
    road.settles(lambda: road.rows(RUNS.c.state) == [runs.State.FAILED.value])
    assert "was never begun" in road.rows(RUNS.c.outcome)[0]
    assert not road.ledger.exists()
    with pytest.raises(TooLate):
        road.runner.confirm(pending.confirmation_id, OTTO)


def test_a_change_whose_start_got_no_answer_is_not_done(road: Road) -> None:
    lost(road, lambda: road.runner.ask(asked(CHANGE, road.ledger)))
    assert road.rows(RUNS.c.state) == ["started"]
    road.settles(lambda: road.rows(RUNS.c.state) == [runs.State.FAILED.value])
    assert not road.ledger.exists()
    road.runner.ask(asked(CHANGE, road.ledger))
    assert len(road.ledger.read_text().splitlines()) == 1


def test_what_was_never_written_leaves_nothing_to_settle(road: Road) -> None:
    road.proxy.cut_at(b"COMMIT")
    with pytest.raises(Away, match=UNKNOWN):
        road.runner.ask(asked(WRITE, road.ledger))
    road.proxy.heal()
    road.runner.expire_due()
    assert road.rows(CONFIRMATIONS.c.state) == []


def test_a_preview_that_came_too_late_for_its_asker_is_cancelled(road: Road) -> None:
    pending = road.runner.ask(asked(WRITE, road.ledger))
    assert isinstance(pending, Pending)
    road.runner.leave(pending)
    road.settles(lambda: road.rows(CONFIRMATIONS.c.state) == ["cancelled"])
    with pytest.raises(TooLate):
        road.runner.confirm(pending.confirmation_id, OTTO)
