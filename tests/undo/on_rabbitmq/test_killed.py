"""kill -9 at any point, where RabbitMQ is the broker: each message is in one place at the end."""

from collections.abc import Callable

import pytest

from knowledge_base_agent.records.database import reading
from knowledge_base_agent.records.keepsakes import State, keepsakes_of
from tests.operations.crew import Crew
from tests.undo.on_rabbitmq.lying import bodies, empty, numbered, publish, ready
from tests.undo.test_killed_on_the_way import dying, moments, newest, undo
from tests.waiting import wait_until

PURGE = "purge --queue celery --reason test --repeat"
MANY = 230
"""Three chunks, of which the last is not full."""


def there(broker: str, *queues: str) -> int:
    return sum(ready(broker, queue) or 0 for queue in queues)


def asides(shell: Crew, run: str) -> list[str]:
    """Return the queues in which a run has put messages aside, none where it did not come to that."""
    with reading(shell.deployment.engine) as connection:
        found = keepsakes_of(connection, run)
    return [aside for one in found for _, aside in one.kept["queues"]]


def dying_purge(shell: Crew, broker: str, moment: int) -> tuple[bool, str]:
    """Purge and die; tell whether it did, and which run it was, when RabbitMQ has seen that nobody is there."""
    died = dying(shell, lambda: shell.previews(PURGE), moment)
    run = newest(shell)
    wait_until(
        lambda: there(broker, "celery", *asides(shell, run)) >= MANY,
        what="what the dead had taken is back",
    )
    return died, run


def dies_nowhere(once: Callable[[int], bool]) -> None:
    """Do something that dies at one moment after the other, until it comes to its end."""
    for moment in moments():
        if not once(moment):
            break
    assert 20 < moment < moments().stop - 5


@pytest.mark.timeout(300)
def test_a_purge_that_dies_anywhere_loses_nothing_and_doubles_nothing(
    alone: Crew, broker: str
) -> None:
    publish(broker, "celery", numbered(MANY))
    before = sorted(bodies(broker, "celery"))

    def once(moment: int) -> bool:
        died, run = dying_purge(alone, broker, moment)
        undo(alone, run)
        wait_until(lambda: there(broker, "celery") >= MANY, what="all are back")
        assert sorted(bodies(broker, "celery")) == before, f"killed at moment {moment}"
        return died

    dies_nowhere(once)


@pytest.mark.timeout(300)
def test_an_undo_that_dies_anywhere_is_gone_on_with_and_brings_each_message_once(
    alone: Crew, broker: str
) -> None:
    publish(broker, "celery", numbered(MANY))
    before = sorted(bodies(broker, "celery"))

    def once(moment: int) -> bool:
        alone.confirms(alone.previews(PURGE))
        run = newest(alone)
        died = dying(alone, lambda: alone.previews(f"undo {run} --repeat"), moment)
        (aside,) = asides(alone, run)
        wait_until(lambda: there(broker, "celery", aside) >= MANY, what="nothing is held")
        undo(alone, run)
        assert sorted(bodies(broker, "celery")) == before, f"killed at moment {moment}"
        with reading(alone.deployment.engine) as connection:
            (kept,) = keepsakes_of(connection, run)
        assert kept.state in (State.UNDONE, State.UNDOING), f"killed at moment {moment}"
        return died

    dies_nowhere(once)


@pytest.mark.timeout(300)
def test_where_the_ledger_is_forgotten_nothing_is_lost_and_no_more_than_one_chunk_doubled(
    alone: Crew, broker: str
) -> None:
    """Its restart drops the ledger's message, which is transient; here it is taken out."""
    for moment in moments()[:60:2]:
        empty(broker, "celery")
        publish(broker, "celery", numbered(MANY))
        before = sorted(bodies(broker, "celery"))
        died, run = dying_purge(alone, broker, moment)
        for aside in asides(alone, run):
            if ready(broker, f"{aside}.ledger"):
                empty(broker, f"{aside}.ledger")
        undo(alone, run)
        wait_until(lambda: there(broker, "celery") >= MANY, what="all are back")
        found = bodies(broker, "celery")
        assert sorted(set(found)) == before, f"killed at moment {moment}"
        assert len(found) - MANY in (0, 30, 100), f"killed at moment {moment}"
        if not died:
            break
    assert not died
