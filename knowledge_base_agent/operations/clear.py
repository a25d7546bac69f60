"""`clear`: remove old rows of the history, by state and age."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated

from msgspec.structs import replace

from knowledge_base_agent.clock import utc_now
from knowledge_base_agent.operations.clear_unfinished import ContinuableTarget, unfinished
from knowledge_base_agent.operations.filtering import Filtering
from knowledge_base_agent.operations.operation import (
    NOBODY_KNOWS,
    Arguments,
    Operation,
    Preview,
    Progress,
    Risk,
    Word,
    touched,
)
from knowledge_base_agent.operations.undo_rows import removing_rows
from knowledge_base_agent.operations.undoable import (
    UndoableArguments,
    for_how_long,
)
from knowledge_base_agent.operations.words import duration as read_duration
from knowledge_base_agent.records.clear_names import names_to_clear
from knowledge_base_agent.records.clearing import (
    ClearCandidates,
    clear_candidates,
    how_many_to_clear,
    states_to_clear,
)
from knowledge_base_agent.records.database import reading_one_moment
from knowledge_base_agent.records.states import WITH_WORKERS
from knowledge_base_agent.records.task_filter import TaskFilter
from knowledge_base_agent.redaction import plain
from knowledge_base_agent.report import Column, Fact, Facts, Note, Part, Report, Row, Table, Tone
from knowledge_base_agent.scope import Scope
from knowledge_base_agent.wording import counted, duration

if TYPE_CHECKING:
    from knowledge_base_agent.deployment import Deployment

_ANY_AGE = timedelta(minutes=1)
"""Whoever means rows younger than this means all of them."""
_GRAVE = "it clears rows of any age"
_STILL = "; what they left may be there still, in part or all of it"
_SAMPLE_COLUMNS = (
    Column(key="name", label="Task"),
    Column(key="state", label="State"),
    Column(key="updated_at", label="Since"),
    Column(key="id", label="Id"),
)


class _Age(Arguments):
    older_than: Annotated[
        timedelta,
        Word(
            read=read_duration, help="how old a row must be; a bare number is hours", example="24"
        ),
    ] = timedelta(hours=24)
    dry_run: Annotated[bool, Word(read=None, help="show what would go, and nothing more")] = False


class ClearArguments(UndoableArguments, Filtering, _Age):
    """Which rows, by age and by what they say; without a state, those that no worker has."""


class ClearTarget(ContinuableTarget):
    """The states and the absolute cutoff, frozen when the preview was made."""

    states: tuple[str, ...]
    cutoff: datetime
    wanted: TaskFilter = TaskFilter()
    meant: str = ""
    """The choice as part of a sentence, as it was asked for."""


def _preview(deployment: "Deployment", arguments: ClearArguments) -> Preview[ClearTarget]:
    now = utc_now()
    wanted = arguments.chosen(now)
    target = ClearTarget(
        states=states_to_clear(wanted.states),
        cutoff=min(now - arguments.older_than, wanted.until or now),
        wanted=wanted,
        meant=_meant(arguments),
        no_undo=arguments.no_undo,
    )
    found = _looked(deployment, target, only_shown=arguments.dry_run)
    return replace(found, grave=_GRAVE) if arguments.older_than < _ANY_AGE else found


def _again(deployment: "Deployment", target: ClearTarget) -> Preview[ClearTarget]:
    return _looked(deployment, target, only_shown=False)


def _looked(
    deployment: "Deployment", target: ClearTarget, *, only_shown: bool
) -> Preview[ClearTarget]:
    with reading_one_moment(deployment.engine) as connection:
        found = clear_candidates(connection, target.states, target.cutoff, target.wanted)
        touches = NOBODY_KNOWS
        if deployment.settings.protected:  # else nobody asks
            whose = names_to_clear(connection, target.states, target.cutoff, target.wanted)
            named = touched(queues=whose.queues, tasks=whose.tasks)
            touches = named if whose.complete else named | NOBODY_KNOWS
    before = unfinished(deployment, target.continued)
    undo = _for_how_long(deployment, target)
    report = _previewed(found, target.meant, undo, only_shown=only_shown)
    return Preview(
        target=target,
        report=before.shown(report, found.total),
        # By number: what is older than a frozen moment becomes fewer, unless a late entry joins it.
        scope=Scope(
            counts={f"rows in {state}": n for state, n in found.by_state.items()} | before.counts,
            digests={f"rows in {state}": one for state, one in found.digests.items()},
        ),
        affected=found.total + before.number,
        only_shown=only_shown,
        touches=touches,
    )


def _for_how_long(deployment: "Deployment", target: ClearTarget) -> str:
    said = for_how_long(deployment, no_undo=target.no_undo)
    return said if target.no_undo else f"{said} Until then they take their space in the database."


def _previewed(found: ClearCandidates, meant: str, undo: str, *, only_shown: bool) -> Report:
    if found.total == 0:
        return Report(
            title="Nothing to clear", text=f"There are no rows {meant}.", taken_at=utc_now()
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
    would = "Would clear" if only_shown else "About to clear"
    rows = counted(found.total, "row")
    return Report(
        title=f"Would clear {rows}" if only_shown else f"Clear {rows}?",
        text=f"{would} {rows} {meant}: {_counts(found.by_state)}{_along(found.by_state)}. {undo} Rows newer than "
        f"{found.cutoff:%Y-%m-%d %H:%M:%S} UTC stay.",
        parts=tuple(parts),
        tone=Tone.WARNING,
        taken_at=utc_now(),
    )


def _meant(arguments: ClearArguments) -> str:
    anywhere = "" if arguments.states else "in any state that no worker has"
    age = f"older than {duration(arguments.older_than)}"
    return ", ".join(part for part in (anywhere, arguments.said(), age) if part)


def _counts(by_state: Mapping[str, int]) -> str:
    return ", ".join(f"{number:,} {state}" for state, number in by_state.items())


def _along(by_state: Mapping[str, int]) -> str:
    """Name what goes with the rows. What a worker may still run keeps what it tells (see `_run`)."""
    if not by_state.keys() - WITH_WORKERS:
        return ""
    whose = "of those that no worker may still run" if by_state.keys() & WITH_WORKERS else ""
    return f"; with the results, progress and logs{whose and ' '}{whose}, as far as there are any"


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
    def left() -> int:
        with reading_one_moment(deployment.engine) as connection:
            return how_many_to_clear(connection, target.states, target.cutoff, target.wanted)

    before = left()
    removed: dict[str, int] = {}
    cleared_before = unfinished(deployment, target.continued)
    with removing_rows(deployment, no_undo=target.no_undo) as rows:
        notes = cleared_before.finish(deployment, rows.behind, progress)
        for state in target.states:
            done = sum(removed.values())
            removed |= rows.clear(
                states=(state,),
                cutoff=target.cutoff,
                wanted=target.wanted,
                told=lambda more, done=done: progress(done + more, before, "rows"),  # type: ignore[misc]
                # What a worker may still run goes on telling its progress.
                leave=state in WITH_WORKERS,
            )
    report = _cleared(target, removed, left(), tuple(rows.behind.notes()))
    return replace(report, parts=(*report.parts, *notes))


def _cleared(
    target: ClearTarget, removed: Mapping[str, int], left: int, behind: tuple[str, ...]
) -> Report:
    total = sum(removed.values())
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
        text=f"Cleared {counted(total, 'row')}"
        + (f": {_counts(removed)}{_STILL if behind else _along(removed)}." if removed else "."),
        parts=(*parts, *(Note(text=text, tone=Tone.WARNING) for text in behind)),
        tone=Tone.WARNING if left or behind else Tone.GOOD,
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
    again=_again,
    run=_run,
    target=ClearTarget,
)
