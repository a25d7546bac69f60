"""`clear`: remove old rows of the history, by state and age."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated

from knowledge_base_agent.clock import utc_now
from knowledge_base_agent.operations.operation import (
    Arguments,
    Operation,
    Preview,
    Progress,
    Risk,
    Target,
    Word,
)
from knowledge_base_agent.operations.words import duration as read_duration
from knowledge_base_agent.operations.words import state as read_state
from knowledge_base_agent.records.clearing import ClearCandidates, clear, clear_candidates
from knowledge_base_agent.records.database import reading
from knowledge_base_agent.records.states import STATES, WITH_WORKERS
from knowledge_base_agent.redaction import plain
from knowledge_base_agent.report import Column, Fact, Facts, Note, Part, Report, Row, Table, Tone
from knowledge_base_agent.wording import counted, duration

if TYPE_CHECKING:
    from knowledge_base_agent.deployment import Deployment

_SAMPLE_COLUMNS = (
    Column(key="name", label="Task"),
    Column(key="state", label="State"),
    Column(key="updated_at", label="Since"),
    Column(key="id", label="Id"),
)


class ClearArguments(Arguments):
    """Which rows, by age and state."""

    older_than: Annotated[
        timedelta,
        Word(
            read=read_duration, help="how old a row must be; a bare number is hours", example="24"
        ),
    ] = timedelta(hours=24)
    status: Annotated[
        tuple[str, ...],
        Word(
            read=read_state,
            help="only rows in this state, can be given again; without it all that no worker has",
            example="FAILURE",
            choices=STATES,
        ),
    ] = ()
    dry_run: Annotated[bool, Word(read=None, help="show what would go, and nothing more")] = False


class ClearTarget(Target):
    """The states and the absolute cutoff, frozen when the preview was made."""

    states: tuple[str, ...]
    cutoff: datetime


def _preview(deployment: "Deployment", arguments: ClearArguments) -> Preview[ClearTarget]:
    cutoff = utc_now() - arguments.older_than
    with reading(deployment.engine) as connection:
        found = clear_candidates(connection, arguments.status, cutoff)
    return Preview(
        target=ClearTarget(states=found.states, cutoff=cutoff),
        report=_previewed(found, arguments),
        affected=found.total,
        only_shown=arguments.dry_run,
    )


def _previewed(found: ClearCandidates, arguments: ClearArguments) -> Report:
    age = duration(arguments.older_than)
    if found.total == 0:
        return Report(
            title="Nothing to clear",
            text=f"No rows in {_named(arguments.status)} are older than {age}.",
            taken_at=utc_now(),
        )
    parts: list[Part] = [_by_state("Rows", found.by_state, found.cutoff)]
    if set(found.by_state) & WITH_WORKERS:
        parts.append(
            Note(
                text="Some of these belong to tasks that a worker may still run. Clearing a row stops no task; its "
                "row comes back when it ends.",
                tone=Tone.WARNING,
            )
        )
    parts.append(_sample(found))
    would = "Would clear" if arguments.dry_run else "About to clear"
    rows = counted(found.total, "row")
    return Report(
        title=f"Would clear {rows}" if arguments.dry_run else f"Clear {rows}?",
        text=f"{would} {rows} older than {age}: {_counts(found.by_state)}. Rows newer than "
        f"{found.cutoff:%Y-%m-%d %H:%M:%S} UTC stay.",
        parts=tuple(parts),
        tone=Tone.WARNING,
        taken_at=utc_now(),
    )


def _named(states: tuple[str, ...]) -> str:
    return "state " + ", ".join(states) if states else "any state that no worker has"


def _counts(by_state: Mapping[str, int]) -> str:
    return ", ".join(f"{number:,} {state}" for state, number in by_state.items())


def _by_state(title: str, by_state: Mapping[str, int], cutoff: datetime) -> Facts:
    facts = [Fact(label=state, value=number) for state, number in by_state.items()]
    return Facts(title=title, items=(*facts, Fact(label="Older than", value=cutoff)))


def _sample(found: ClearCandidates) -> Table:
    rows = tuple(
        Row(cells=(plain(one.name, 120), one.state, one.updated_at, plain(one.id, 128)))
        for one in found.sample
    )
    return Table(
        caption="The oldest of them", columns=_SAMPLE_COLUMNS, rows=rows, total=found.total
    )


def _run(deployment: "Deployment", target: ClearTarget, progress: Progress) -> Report:
    with reading(deployment.engine) as connection:
        before = clear_candidates(connection, target.states, target.cutoff).total
    removed = clear(
        deployment.engine,
        states=target.states,
        cutoff=target.cutoff,
        told=lambda done: progress(done, before, "rows"),
    )
    total = sum(removed.values())
    with reading(deployment.engine) as connection:
        left = clear_candidates(connection, target.states, target.cutoff).total
    parts: list[Part] = [_by_state("Cleared", removed, target.cutoff)] if removed else []
    if left:
        parts.append(
            Note(
                text=f"{counted(left, 'row')} of this age and state came meanwhile, or were being written: they stay.",
                tone=Tone.WARNING,
            )
        )
    return Report(
        title=f"Cleared {counted(total, 'row')}",
        text=f"Cleared {counted(total, 'row')}" + (f": {_counts(removed)}." if removed else "."),
        parts=tuple(parts),
        tone=Tone.WARNING if left else Tone.GOOD,
        taken_at=utc_now(),
        data={"cleared": dict(removed)},
    )


CLEAR = Operation[ClearArguments, ClearTarget](
    name="clear",
    aliases=("clear-old-tasks",),
    summary="Removes old rows of the history, after a preview.",
    risk=Risk.DESTROY,
    arguments=ClearArguments,
    preview=_preview,
    run=_run,
    target=ClearTarget,
)
