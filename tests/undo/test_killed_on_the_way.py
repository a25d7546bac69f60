"""kill -9 at any point: what was put aside is written down before, so an undo brings everything back all the same."""

import os
import random
from collections.abc import Callable

import pytest
from sqlalchemy import update

from knowledge_base_agent.clock import utc_now
from knowledge_base_agent.problems import NotFound
from knowledge_base_agent.records.database import reading, writing
from knowledge_base_agent.records.keepsakes import keepsakes_of
from knowledge_base_agent.records.road_tables import RUNS
from knowledge_base_agent.requests import Pending
from knowledge_base_agent.runs import SILENT_AFTER
from tests.operations.crew import Crew
from tests.undo.dying import dies_at
from tests.undo.seen import connected, database

MOST = 400
STRIDE = 1 if os.environ.get("KB_TEST_EVERY_MOMENT") else 5
"""Each run tries every fifth moment, from another one on; every single one with KB_TEST_EVERY_MOMENT=1."""


def moments() -> range:
    """Return the moments at which a test's runs are killed; a failure names its own."""
    return range(random.SystemRandom().randrange(1, STRIDE + 1), MOST, STRIDE)


def dead(shell: Crew) -> None:
    """Let the time pass after which a run without a sign counts as gone."""
    with writing(shell.deployment.engine) as connection:
        connection.execute(update(RUNS).values(beat_at=utc_now() - 2 * SILENT_AFTER))


def dying(shell: Crew, pending: Callable[[], Pending], moment: int) -> bool:
    """Run a preview's operation in a process that dies; tell whether it did."""
    died = dies_at(shell.deployment.settings, pending().confirmation_id, moment)
    dead(shell)
    return died


def undo(shell: Crew, run: str) -> None:
    """Bring back what a run has put aside, if it came to that."""
    try:
        found = shell._ask(f"undo {run} --repeat")
    except NotFound:
        return
    # What was written down and never filled has nothing to bring back.
    if isinstance(found, Pending):
        shell.confirms(found)


def newest(shell: Crew) -> str:
    """Return the last run's name."""
    with reading(shell.deployment.engine) as connection:
        number = connection.exec_driver_sql("SELECT max(number) FROM runs").scalar_one()
    return f"op-{number}"


@pytest.mark.timeout(300)
def test_a_purge_that_dies_anywhere_loses_nothing(alone: Crew, broker: str) -> None:
    for priority in (0, 9, 3, 0):
        alone.send("quick", priority=priority)
    before = database(broker)
    for moment in moments():
        died = dying(alone, lambda: alone.previews("purge --reason test --repeat"), moment)
        undo(alone, newest(alone))
        assert database(broker) == before, f"killed at moment {moment}"
        if not died:
            break
    assert moment > 10
    assert not died


@pytest.mark.timeout(300)
def test_an_undo_that_dies_anywhere_is_gone_on_with(alone: Crew, broker: str) -> None:
    with connected(broker) as client:
        alone.send("quick", priority=3)
        client.lpush("celery", *(f"old-{n}" for n in range(5)))
        before = database(broker)
        for moment in moments():
            alone.confirms(alone.previews("purge --reason test --repeat"))
            purged = newest(alone)
            client.lpush("celery", *(f"new-{n}" for n in range(3)))
            died = dying(alone, lambda: alone.previews(f"undo {purged}"), moment)  # noqa: B023
            undo(alone, purged)
            found = client.lrange("celery", 0, -1)
            assert found[:3] == [b"new-2", b"new-1", b"new-0"], f"killed at moment {moment}"
            client.ltrim("celery", 3, -1)
            assert database(broker) == before, f"killed at moment {moment}"
            with reading(alone.deployment.engine) as connection:
                (kept,) = keepsakes_of(connection, purged)
            # Killed between the last effect and its record, there is nothing left to go on with.
            assert kept.state in ("undone", "undoing"), f"killed at moment {moment}"
            if not died:
                break
    assert moment > 10
    assert not died
