"""What `stats` says from the database: rows by state, how old the history is, the agent, the last 24 hours."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

from msgspec import Struct
from sqlalchemy import Engine

from knowledge_base_agent.clock import utc_now
from knowledge_base_agent.records.agent_state import AgentState, read_agent_state
from knowledge_base_agent.records.database import reading
from knowledge_base_agent.records.recorder_state import (
    HistoryGap,
    RecorderState,
    gaps_since,
    read_recorder_state,
)
from knowledge_base_agent.records.states import FAILURE, REVOKED, STATES, SUCCESS
from knowledge_base_agent.records.task_history import HourCounts, counts, last_24_hours
from knowledge_base_agent.redaction import plain
from knowledge_base_agent.report import Chart, Fact, Facts, Note, Part, Tone
from knowledge_base_agent.wording import counted, duration

RECORDER_SILENT = timedelta(seconds=20)
"""An active recorder writes its row every 5 s; after this long there is none."""
_CHARTED = (SUCCESS, FAILURE, REVOKED)
_HOURS_A_BAR = 2  # Slack draws at most 20 categories


class HistoryFigures(Struct, frozen=True, kw_only=True):
    """One reading of the database."""

    by_state: Mapping[str, int]
    hours: tuple[HourCounts, ...]
    recorder: RecorderState | None
    gaps: tuple[HistoryGap, ...]
    agent: AgentState
    read_at: datetime


def read_history(engine: Engine) -> HistoryFigures:
    """Read all of it on one connection. Raises `Away`."""
    now = utc_now()
    with reading(engine, apart=True) as connection:
        return HistoryFigures(
            by_state=counts(connection),
            hours=tuple(last_24_hours(connection, now=now)),
            recorder=read_recorder_state(connection),
            gaps=tuple(gaps_since(connection, now - timedelta(hours=24))),
            agent=read_agent_state(connection),
            read_at=now,
        )


def history_parts(figures: HistoryFigures) -> Iterator[Part]:
    """Yield the rows by state, the agent, and what must be known about their age."""
    facts = tuple(
        Fact(label=state, value=figures.by_state[state])
        for state in STATES
        if state in figures.by_state
    )
    title = "Rows by state"
    if facts:
        yield Facts(title=title, items=facts)
    else:
        yield Note(text="No task has been recorded yet.")
    yield from recorder_notes(figures.recorder, figures.read_at)
    for gap in figures.gaps:
        lost = counted(gap.lost, "entry", "entries")
        yield Note(
            text=f"History has a gap, noticed at {gap.noticed_at:%H:%M} UTC: {lost} lost ({plain(gap.detail)}).",
            tone=Tone.WARNING,
        )
    yield Facts(title="Agent", items=tuple(_agent(figures.agent, figures.read_at)))


def recorder_notes(recorder: RecorderState | None, now: datetime) -> Iterator[Note]:
    """Yield what must be said where the history is older than it seems."""
    if recorder is None:
        yield Note(
            text="No recorder has ever run, so the database knows no tasks. Start `python -m knowledge_base_agent.cli "
            "recorder`.",
            tone=Tone.WARNING,
        )
    elif now - recorder.updated_at > RECORDER_SILENT:
        yield Note(
            text=f"The recorder has been silent for {duration(now - recorder.updated_at)}: rows are as old as that. "
            "Either the progress store, which it reads, is away (`doctor` tells), or it has ended: start `python -m "
            "knowledge_base_agent.cli recorder` then. Nothing is lost meanwhile.",
            tone=Tone.WARNING,
        )
    elif recorder.lag > 1000:
        entries = counted(recorder.lag, "entry", "entries")
        yield Note(text=f"The recorder is {entries} behind.", tone=Tone.WARNING)


def _agent(agent: AgentState, now: datetime) -> Iterator[Fact]:
    yield Fact(label="State", value=agent.status)
    if agent.phase:
        yield Fact(label="Phase", value=plain(agent.phase, 80))
    if agent.source:
        yield Fact(label="Source", value=plain(agent.source, 120))
    if agent.started_at:
        yield Fact(label="Running for", value=now - agent.started_at)


def last_day_chart(hours: tuple[HourCounts, ...]) -> Chart | None:
    """Return the last 24 hours in bars of two hours, or None when nothing ended in them."""
    bars = [hours[n : n + _HOURS_A_BAR] for n in range(0, len(hours), _HOURS_A_BAR)]
    series = {
        state: tuple(float(sum(hour.by_state.get(state, 0) for hour in bar)) for bar in bars)
        for state in _CHARTED
    }
    shown = {state: numbers for state, numbers in series.items() if any(numbers)}
    if not shown:
        return None
    return Chart(
        title=f"Tasks that ended, last 24 h (since {hours[0].hour:%H:%M} UTC)",
        categories=tuple(f"{bar[0].hour:%H:%M}" for bar in bars),
        series=shown,
        unit="tasks",
    )
