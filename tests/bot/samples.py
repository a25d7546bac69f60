"""Results as operations give them, to draw."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from knowledge_base_agent.actors import Actor, Audience, Standing, Surface
from knowledge_base_agent.audit import Entry, Kind
from knowledge_base_agent.problems import Away, Misunderstood, Refused
from knowledge_base_agent.report import (
    Action,
    Chart,
    Column,
    Fact,
    Facts,
    Note,
    Passage,
    Passages,
    Preformatted,
    Report,
    Row,
    Size,
    Table,
    Tone,
)
from knowledge_base_agent.requests import Claimed, Ended, Pending, Settled
from knowledge_base_agent.runs import Run, State
from tests.bot.sample_operations import CLEAR

NOW = datetime(2026, 11, 23, 3, 12, 5, tzinfo=UTC)
OTTO = Actor(
    id="U0OTTO000",
    name="otto",
    surface=Surface.SLACK,
    standing=Standing(known=True, full_member=True, why_not="", audience=Audience.OURS),
)


def stats() -> Report:
    """A deployment at a glance, with something unknown in it."""
    return Report(
        title="Stats",
        text="3 of 5 workers answered; 12,345 messages ready in queues.",
        tone=Tone.WARNING,
        taken_at=NOW - timedelta(minutes=2),
        actions=(Action(label="Active", words="active"), Action(label="Stuck", words="stuck")),
        parts=(
            figures(),
            queues(),
            last_day(),
            Note(text="2 workers did not answer: see `active`.", tone=Tone.WARNING),
        ),
    )


def figures() -> Facts:
    """One value of each kind."""
    why = "2 did not answer in 1.5 s"
    return Facts(
        title="Figures",
        items=(
            Fact(label="Workers", value="3 of 5", tone=Tone.WARNING, why=why),
            Fact(label="Memory", value=Size(1_500_000)),
            Fact(label="Oldest message", value=timedelta(hours=3, minutes=12)),
            Fact(label="Last start", value=NOW - timedelta(days=1)),
            Fact(label="Rows", value=None, why="the database does not answer"),
            Fact(label="Queue", value="_private_ *bold* `code`"),
        ),
    )


def queues() -> Table:
    """A small table with an unknown and an empty cell."""
    columns = (
        Column(key="queue", label="Queue"),
        Column(key="ready", label="Ready"),
        Column(key="oldest", label="Oldest"),
    )
    rows = (
        Row(cells=("celery", 12_345, timedelta(minutes=4)), tone=Tone.WARNING),
        Row(cells=("agent", None, "")),
    )
    return Table(caption="Queues", columns=columns, rows=rows, total=2)


def last_day() -> Chart:
    """More categories than Slack draws."""
    return Chart(
        title="Tasks that ended, last 24 h (UTC)",
        categories=tuple(f"{hour:02}:00" for hour in range(24)),
        series={
            "SUCCESS": tuple(float(hour) for hour in range(24)),
            "FAILURE": (0.0,) * 23 + (2.0,),
        },
        unit="tasks",
    )


def stuck(count: int) -> Report:
    """Tasks that can be revoked one by one."""
    rows = tuple(
        Row(
            cells=(f"fetch_document_{n}", f"3f2c-{n:04}", timedelta(hours=4, minutes=n)),
            actions=(
                Action(label="Revoke", words=f"revoke 3f2c-{n:04}", danger=True),
                Action(label="Logs", words=f"logs 3f2c-{n:04}"),
            ),
            tone=Tone.BAD,
            progress=0.48 if n == 0 else None,
        )
        for n in range(count)
    )
    columns = (
        Column(key="name", label="Task"),
        Column(key="id", label="Id"),
        Column(key="runs", label="Runs for"),
    )
    table = Table(caption="Stuck tasks", columns=columns, rows=rows, total=240)
    return Report(
        title="Stuck tasks", text=f"{count} tasks are stuck.", parts=(table,), tone=Tone.BAD
    )


def logs() -> Report:
    """The last lines of a task."""
    text = "fetching https://example.org\n<!channel> look at `this`\n  Traceback: & so on"
    part = Preformatted(text=text, title="Last lines of 3f2c-0000")
    return Report(title="logs", text="3 lines.", parts=(part,))


def found() -> Report:
    """Documents that a search found, one of them full of formatting."""
    items = (
        Passage(
            title="Retrying a *task*",
            text="… a task is tried again after `countdown` seconds, and <!channel> hears nothing …",
            source="docs/retry.md",
        ),
        Passage(title="Limits", text="The time limit is two hours."),
    )
    return Report(
        title="Search: retry", text="2 documents for “retry”.", parts=(Passages(items=items),)
    )


def pending() -> Pending:
    """A preview that waits."""
    facts = Facts(items=(Fact(label="FAILURE", value=12), Fact(label="Older than", value=NOW)))
    report = Report(
        title="Clear 12 rows?", text="12 rows would be removed.", parts=(facts,), tone=Tone.WARNING
    )
    return Pending(
        confirmation_id="c0nf1rm",
        operation=CLEAR,
        report=report,
        affected=12,
        asked_by=OTTO,
        expires_at=NOW + timedelta(minutes=10),
    )


def claimed() -> Claimed:
    """A run that has begun."""
    return Claimed(
        run_id="op-3", operation=CLEAR, target_json="{}", confirmed_by=OTTO, confirmed_at=NOW
    )


def ended() -> Ended:
    """A run that is over."""
    report = Report(title="Cleared", text="12 rows are gone.", tone=Tone.GOOD)
    return Ended(run_id="op-3", report=report, ended_at=NOW + timedelta(seconds=3))


def settled(by: str, state: str) -> Settled:
    """A preview that will not run."""
    return Settled(
        confirmation_id="c0nf1rm",
        words="clear --older-than 12",
        operation_name="clear",
        state=state,
        by_name=by,
        at=NOW,
        place="C1",
        message="1.2",
    )


def interrupted() -> Run:
    """A run whose process is gone."""
    return Run(
        number=4, operation="clear", words="clear", actor_id="U1", actor_name="otto", surface="slack",
        state=State.INTERRUPTED, started_at=NOW, beat_at=NOW, ended_at=NOW, outcome="", place="C1",
        message="1.2", asked="", scope="",
    )  # fmt: skip


def entry() -> Entry:
    """An entry of the audit."""
    return Entry(
        id=7,
        at=NOW,
        actor_id="U0OTTO000",
        actor_name="otto",
        surface="slack",
        kind=Kind.ENDED,
        operation="clear",
        words="clear --status `FAILURE` <!channel>",
        detail="12 rows are gone.",
        run_id="op-3",
    )


def head_entry() -> Entry:
    """A head of the audit's chain."""
    return replace(
        entry(), id=1201, kind=Kind.HEAD, operation="audit", words="", run_id=None, actor_id="bot",
        actor_name="the bot", surface="schedule", detail=f"entry 1,200, sha256 {'3fab' * 16}",
    )  # fmt: skip


REFUSED = Refused("This changes the deployment.", "Ask an operator to do it.")
AWAY = Away(
    "The broker does not answer: refused.", "Check it, then ask again.", source="the broker"
)
MISUNDERSTOOD = Misunderstood(
    "I don't know “stat”.", "Did you mean `/kb stats`?", suggestion="stats --all"
)
