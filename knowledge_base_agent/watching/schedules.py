"""Maintenance by the clock: down the same road as a person's request, as actor `schedule`, each moment once.

It only reports, unless `KB_MAINTENANCE_MAY_CHANGE` lets it confirm its own preview. A moment that passed while no bot
ran is made up for within an hour; after that it waits for its next one.
"""

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from enum import Enum

from msgspec.structs import replace
from sqlalchemy import Engine

from knowledge_base_agent.actors import Actor, Surface
from knowledge_base_agent.problems import Misunderstood, NotFound, Problem, ReasonNeeded
from knowledge_base_agent.records.alerts_tables import SCHEDULE_RUNS
from knowledge_base_agent.records.database import writing
from knowledge_base_agent.records.upserts import insert_into
from knowledge_base_agent.report import Note, Report, Tone
from knowledge_base_agent.requests import Pending, Request
from knowledge_base_agent.runner import Runner
from knowledge_base_agent.settings import Settings
from knowledge_base_agent.understand import understand

SCHEDULE = Actor(id="schedule", name="schedule", surface=Surface.SCHEDULE)
MADE_UP_FOR = timedelta(hours=1)
_ONLY_REPORTED = (
    "Only reported, nothing was changed: set KB_MAINTENANCE_MAY_CHANGE=1 to let the schedule do it."
)


class Every(Enum):
    """How often: each day, on Mondays, on the 1st of the month."""

    DAILY = "daily"
    WEEKLY = "weekly"
    MONTHLY = "monthly"


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """When something is due (`at` in UTC), and the words that are then asked for."""

    every: Every
    at: time
    words: str

    @property
    def name(self) -> str:
        """What its moments are remembered by."""
        return self.words

    def last_due(self, now: datetime) -> datetime:
        """Return the last moment at or before `now` (aware UTC) at which it was due."""
        moment = now.replace(hour=self.at.hour, minute=self.at.minute, second=0, microsecond=0)
        if moment > now:
            moment -= timedelta(days=1)
        while not self._falls_on(moment):
            moment -= timedelta(days=1)
        return moment

    def _falls_on(self, moment: datetime) -> bool:
        if self.every is Every.WEEKLY:
            return moment.weekday() == 0
        return self.every is Every.DAILY or moment.day == 1


def schedules_of(settings: Settings) -> tuple[Schedule, ...]:
    """Return the schedules that the settings name."""
    times = {
        Every.DAILY: settings.maintenance_daily,
        Every.WEEKLY: settings.maintenance_weekly,
        Every.MONTHLY: settings.maintenance_monthly,
    }
    return tuple(
        Schedule(every=every, at=time.fromisoformat(at), words=f"maintenance {every.value}")
        for every, at in times.items()
        if at
    )


def claim_due(engine: Engine, schedule: Schedule, now: datetime) -> bool:
    """Take a moment that is due; False if none is, or another process has taken it. Raises `Away`."""
    due = schedule.last_due(now)
    if now - due > MADE_UP_FOR:
        return False
    table = SCHEDULE_RUNS
    with writing(engine) as connection:
        taking = (
            insert_into(connection, table)
            .values(name=schedule.name, due_at=due)
            .on_conflict_do_update(
                index_elements=["name"], set_={"due_at": due}, where=table.c.due_at < due
            )
            .returning(table.c.name)
        )
        return connection.execute(taking).first() is not None


def run_schedule(runner: Runner, schedule: Schedule, *, may_change: bool) -> Report:
    """Ask for the words as `schedule` and return what came of it. Never raises a `Problem`: it is in the report."""
    try:
        return _run(runner, schedule, may_change=may_change)
    except (Misunderstood, NotFound) as problem:
        return _failed(schedule, f"This version has no “{schedule.words}”: {problem.what}")
    except Problem as problem:
        return _failed(schedule, f"{problem.what} {problem.cure}")


def _run(runner: Runner, schedule: Schedule, *, may_change: bool) -> Report:
    understood = understand(schedule.words)
    request = Request(
        actor=SCHEDULE,
        operation=understood.operation,
        arguments=understood.arguments,
        words=understood.words,
        repeat=understood.repeat,
        only_shown=understood.only_shown,
    )
    try:
        outcome = runner.ask(request)
    except ReasonNeeded as needed:
        return _only_reported(needed.report, f"Only reported, nothing was changed. {needed.what}")
    if not isinstance(outcome, Pending):
        return outcome
    if may_change:
        return runner.execute(runner.confirm(outcome.confirmation_id, SCHEDULE)).report
    runner.cancel(outcome.confirmation_id, SCHEDULE)
    return _only_reported(outcome.report, _ONLY_REPORTED)


def _only_reported(report: Report, why: str) -> Report:
    return replace(report, parts=(*report.parts, Note(text=why)), actions=())


def _failed(schedule: Schedule, text: str) -> Report:
    title = f"Scheduled: {schedule.words} failed"
    return Report(title=title, text=text, tone=Tone.BAD, succeeded=False)
