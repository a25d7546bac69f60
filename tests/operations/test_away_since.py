"""Since when something is away, as it is told: no outage that is over is told as one that goes on."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from knowledge_base_agent.fleet import sightings as module
from knowledge_base_agent.fleet.sightings import FORGOTTEN_AFTER, Sightings
from knowledge_base_agent.outages import told, worked
from knowledge_base_agent.problems import Away
from knowledge_base_agent.settings import Settings

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
ON_ONE_SERVER = Settings(
    broker_url="redis://one/0",
    result_backend="redis://one/1",
    progress_url="redis://one/2",
    logs_url="redis://two/3",
)
Clock = Callable[[timedelta], None]


@pytest.fixture
def passes(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """What lets time pass: it is noon to begin with."""
    now = [NOON]

    def passing(span: timedelta) -> None:
        now[0] += span

    monkeypatch.setattr(module, "utc_now", lambda: now[0])
    monkeypatch.setattr("knowledge_base_agent.outages.utc_now", lambda: now[0])
    return passing


def away(sightings: Sightings, source: str = "the broker") -> Away:
    return told(Away("It does not answer.", "Look.", source=source), sightings, ON_ONE_SERVER)


def test_of_one_server_each_part_is_away_since_the_first_that_was_missed(passes: Clock) -> None:
    sightings = Sightings()
    sightings.failed("the progress store")
    passes(timedelta(seconds=7))
    assert "Away since 12:00:00 UTC" in away(sightings).what
    passes(timedelta(seconds=7))
    assert "Away since 12:00:00 UTC" in away(sightings).what
    assert "Away since 12:00:14 UTC" in away(sightings, "the log store").what, "it lives elsewhere"


def test_what_answers_again_is_not_away_since_before_that_nor_is_its_server(passes: Clock) -> None:
    sightings = Sightings()
    away(sightings)
    passes(timedelta(seconds=30))
    worked("purge", sightings, ON_ONE_SERVER)
    passes(timedelta(seconds=30))
    assert "Away since 12:01:00 UTC" in away(sightings).what


def test_a_failure_that_nobody_has_asked_about_for_long_is_no_beginning(passes: Clock) -> None:
    sightings = Sightings()
    away(sightings)
    passes(FORGOTTEN_AFTER)
    assert "Away since 12:05:00 UTC" in away(sightings).what
    for _ in range(3):
        passes(FORGOTTEN_AFTER - timedelta(seconds=1))
        assert "Away since 12:05:00 UTC" in away(sightings).what


def test_what_failed_a_moment_ago_is_not_said_to_work(passes: Clock) -> None:
    sightings = Sightings()
    away(sightings)
    passes(timedelta(minutes=1))
    assert "logs" in away(sightings, "the database").cure
    assert "active" not in away(sightings, "the database").cure
    passes(FORGOTTEN_AFTER)
    assert "Still works: active" in away(sightings, "the database").cure
