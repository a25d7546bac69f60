"""Which events came before: known for a day, whoever asks."""

from datetime import timedelta

from sqlalchemy import update

from knowledge_base_agent.clock import utc_now
from knowledge_base_agent.deployment import Deployment
from knowledge_base_agent.records.database import writing
from knowledge_base_agent.records.road_tables import SEEN_EVENTS
from knowledge_base_agent.runner import Runner

LONG = "long" * 99


def test_the_same_event_counts_once(runner: Runner) -> None:
    assert runner.first_seen(["Ev1"]) == {"Ev1"}
    assert runner.first_seen(["Ev2", "Ev1", LONG]) == {"Ev2", LONG}
    assert runner.first_seen(["Ev1", "Ev2", LONG]) == set()


def test_an_event_is_remembered_for_a_day(runner: Runner, deployment: Deployment) -> None:
    assert runner.first_seen(["Ev1"]) == {"Ev1"}
    runner.forget_seen()
    assert runner.first_seen(["Ev1"]) == set()
    with writing(deployment.engine) as connection:
        connection.execute(update(SEEN_EVENTS).values(seen_at=utc_now() - timedelta(hours=25)))
    runner.forget_seen()
    assert runner.first_seen(["Ev1"]) == {"Ev1"}
