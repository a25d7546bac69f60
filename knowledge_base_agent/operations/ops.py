"""`ops`: the runs of what changes something: those that go on, those whose end nobody knows, and the last ones."""

from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

from knowledge_base_agent.clock import utc_now
from knowledge_base_agent.operations.operation import (
    Arguments,
    Operation,
    Progress,
    Risk,
    Target,
    Word,
)
from knowledge_base_agent.operations.ops_resume import resume_words
from knowledge_base_agent.operations.words import count as read_number
from knowledge_base_agent.records.task_search import reading_for
from knowledge_base_agent.redaction import plain
from knowledge_base_agent.report import Action, Column, Report, Row, Table, Tone
from knowledge_base_agent.runs import Run, State, is_over, listed
from knowledge_base_agent.wording import counted, duration

if TYPE_CHECKING:
    from knowledge_base_agent.deployment import Deployment

_SECONDS = 2.0
_LATELY = timedelta(hours=24)
_COLUMNS = (
    Column(key="run", label="Run"),
    Column(key="operation", label="Operation"),
    Column(key="state", label="State"),
    Column(key="who", label="Who"),
    Column(key="started", label="Started"),
    Column(key="ended", label="Ended"),
    Column(key="outcome", label="What came of it"),
    Column(key="words", label="Words"),
)
_TONES = {
    State.STARTED: Tone.NEUTRAL,
    State.SUCCEEDED: Tone.GOOD,
    State.FAILED: Tone.BAD,
    State.INTERRUPTED: Tone.BAD,
}


class OpsArguments(Arguments):
    """How far back, and how many."""

    all: Annotated[bool, Word(read=None, help="also those that ended more than 24 h ago")] = False
    lines: Annotated[
        int, Word(read=read_number, help="how many at most", example="20", short="n")
    ] = 20


def _answer(deployment: "Deployment", arguments: OpsArguments, progress: Progress) -> Report:
    now = utc_now()
    since = None if arguments.all else now - _LATELY
    with reading_for(deployment.engine, _SECONDS) as connection:
        found, total = listed(connection, since=since, limit=arguments.lines)
    rows = tuple(_row(run) for run in found)
    running = sum(run.state is State.STARTED for run in found)
    unknown = sum(run.state is State.INTERRUPTED for run in found)
    lately = "" if arguments.all else " in the last 24 h"
    return Report(
        title="Runs" if found else "No runs",
        text=f"{counted(total, 'run')}{lately}: {running:,} going on, {unknown:,} interrupted"
        f"{f'; {len(found):,} are shown' if total > len(found) else ''}."
        if found
        else f"Nothing was changed{lately or ' yet'}.",
        parts=(Table(caption="Runs", columns=_COLUMNS, rows=rows, total=total),) if rows else (),
        tone=Tone.WARNING if unknown else Tone.NEUTRAL,
        taken_at=now,
        data={"running": running, "interrupted": unknown},
    )


def _row(run: Run) -> Row:
    return Row(
        cells=(
            run.id,
            plain(run.operation, 64),
            _state(run),
            plain(run.actor_name, 80),
            run.started_at,
            run.ended_at or "",
            plain(run.outcome, 200),
            plain(run.words, 160),
        ),
        tone=_TONES.get(run.state, Tone.NEUTRAL),
        actions=_actions(run),
    )


def _state(run: Run) -> str:
    if run.state is State.INTERRUPTED:
        return "interrupted: what it did is unknown"
    if run.state is State.STARTED and is_over(run):
        return f"started; not heard of for {duration(utc_now() - run.beat_at)}"
    return str(run.state.value)


def _actions(run: Run) -> tuple[Action, ...]:
    if run.state is not State.INTERRUPTED:
        return ()
    abandon = Action(label="Abandon", words=f"ops abandon {run.id}")
    words = resume_words(run)
    return (Action(label="Resume", words=words, danger=True), abandon) if words else (abandon,)


OPS = Operation[OpsArguments, Target](
    name="ops",
    summary="Shows the runs of what changes something: going on, interrupted, ended.",
    risk=Risk.READ,
    arguments=OpsArguments,
    answer=_answer,
)
