"""Maintenance by the clock: each moment once, whoever runs, and never a change that was not allowed."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta

import pytest
from sqlalchemy import insert, select

from knowledge_base_agent.clock import utc_now
from knowledge_base_agent.records.database import open_engine, reading, writing
from knowledge_base_agent.records.hidden import shown
from knowledge_base_agent.records.road_tables import AUDIT
from knowledge_base_agent.records.tables import TASK_COUNTS, TASKS
from knowledge_base_agent.report import Note
from knowledge_base_agent.runner import Runner
from knowledge_base_agent.watching.schedules import (
    Every,
    Schedule,
    claim_due,
    run_schedule,
    schedules_of,
)
from tests.operations.place import Shell, shell_on
from tests.records.deployment import settings_for
from tests.servers import RedisSpace
from tests.waiting import wait_until

MONDAY = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("every", "now", "due"),
    [
        (Every.DAILY, MONDAY, MONDAY.replace(hour=3)),
        (Every.DAILY, MONDAY.replace(hour=2), MONDAY.replace(hour=3) - timedelta(days=1)),
        (Every.DAILY, MONDAY.replace(hour=3), MONDAY.replace(hour=3)),
        (Every.WEEKLY, MONDAY, MONDAY.replace(hour=3)),
        (Every.WEEKLY, MONDAY + timedelta(days=6), MONDAY.replace(hour=3)),
        (Every.WEEKLY, MONDAY.replace(hour=2), MONDAY.replace(day=16, hour=3)),
        (Every.MONTHLY, MONDAY, MONDAY.replace(day=1, hour=3)),
        (Every.MONTHLY, MONDAY.replace(day=1, hour=2), MONDAY.replace(month=10, day=1, hour=3)),
    ],
)
def test_when_it_was_due_last(every: Every, now: datetime, due: datetime) -> None:
    assert Schedule(every=every, at=time(3), words="w").last_due(now) == due


def test_a_moment_is_taken_once_and_made_up_for_within_an_hour(database_url: str) -> None:
    engine = open_engine(database_url)
    daily = Schedule(every=Every.DAILY, at=time(3), words="maintenance daily")
    three = MONDAY.replace(hour=3)
    assert not claim_due(engine, daily, three + timedelta(minutes=61)), "too late to make up for"
    assert claim_due(engine, daily, three + timedelta(minutes=59))
    assert not claim_due(engine, daily, three + timedelta(minutes=59)), "another bot has taken it"
    assert claim_due(engine, daily, three + timedelta(days=1))
    engine.dispose()


@pytest.fixture
def shell(redis_space: RedisSpace, sqlite_url: str) -> Iterator[Shell]:
    """A deployment with one success of long ago."""
    settings = settings_for(redis_space, sqlite_url, maintenance_weekly="03:00")
    at = utc_now() - timedelta(days=30)
    with shell_on(settings) as found:
        with writing(found.deployment.engine) as connection:
            old = {"id": "old", "name": "fetch", "state": "SUCCESS", "attempt": 1, "retries": 0}
            connection.execute(insert(TASKS).values(**old, updated_at=at))
            connection.execute(insert(TASK_COUNTS).values(state="SUCCESS", tasks=1))
        yield found


def audited(shell: Shell) -> list[tuple[str, str]]:
    query = select(AUDIT.c.actor_id, AUDIT.c.kind).order_by(AUDIT.c.id)
    with reading(shell.deployment.engine) as connection:
        return [(row.actor_id, row.kind) for row in connection.execute(query)]


def rows_left(shell: Shell) -> int:
    with reading(shell.deployment.engine) as connection:
        return len(connection.execute(select(TASKS.c.id).where(shown(connection))).all())


def test_it_only_reports_until_it_is_allowed_to_change(shell: Shell) -> None:
    (weekly,) = schedules_of(shell.deployment.settings)
    runner = Runner(shell.deployment)
    report = run_schedule(runner, weekly, may_change=False)
    said = [part.text for part in report.parts if isinstance(part, Note)]
    assert any("KB_MAINTENANCE_MAY_CHANGE" in one for one in said)
    assert rows_left(shell) == 1
    assert audited(shell) == [("schedule", "previewed"), ("schedule", "cancelled")]

    report = run_schedule(runner, weekly, may_change=True)
    assert report.succeeded, report
    assert rows_left(shell) == 0
    kinds = [kind for who, kind in audited(shell) if who == "schedule"]
    assert kinds[2:] == ["previewed", "confirmed", "started", "ended"]


def test_what_would_need_two_people_is_only_reported_whatever_it_may_change(shell: Shell) -> None:
    (weekly,) = schedules_of(shell.deployment.settings)
    strict = shell.deployment.settings.model_copy(update={"two_person_above": 0})
    runner = Runner(replace(shell.deployment, settings=strict))
    report = run_schedule(runner, weekly, may_change=True)
    said = [part.text for part in report.parts if isinstance(part, Note)]
    assert any("Only reported, nothing was changed. This needs two people" in one for one in said)
    assert "KB_TWO_PERSON_ABOVE" in " ".join(said)
    assert rows_left(shell) == 1
    wait_until(lambda: audited(shell) == [("schedule", "refused")], what="it is recorded")


def test_a_round_that_the_settings_allow_clears_as_much_as_is_old(shell: Shell) -> None:
    (weekly,) = schedules_of(shell.deployment.settings)
    allowed = {"two_person_above": 0, "maintenance_may_change": True}
    settings = shell.deployment.settings.model_copy(update=allowed)
    deployment = replace(shell.deployment, settings=settings)
    assert run_schedule(Runner(deployment), weekly, may_change=True).succeeded
    assert rows_left(shell) == 0


def test_words_that_no_operation_understands_are_said(shell: Shell) -> None:
    odd = Schedule(every=Every.DAILY, at=time(3), words="upkeep daily")
    report = run_schedule(Runner(shell.deployment), odd, may_change=True)
    assert not report.succeeded
    assert "no “upkeep daily”" in report.text
