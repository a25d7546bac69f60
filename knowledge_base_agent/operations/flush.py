"""`flush`: remove what finished tasks told of their progress and their log lines."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

from msgspec.structs import replace

from knowledge_base_agent.clock import utc_now
from knowledge_base_agent.fleet.deadline import Unknown
from knowledge_base_agent.operations.flush_counting import (
    Tally,
    at_most,
    count_keys,
    still_there,
    what_stays,
)
from knowledge_base_agent.operations.flush_drawing import others
from knowledge_base_agent.operations.flush_keeping import Keeping, keeping
from knowledge_base_agent.operations.flush_removing import remove_keys
from knowledge_base_agent.operations.flush_stores import stores_of
from knowledge_base_agent.operations.operation import (
    Arguments,
    Operation,
    Preview,
    Progress,
    Risk,
    Touched,
    Word,
)
from knowledge_base_agent.operations.undo_keys import removing_keys
from knowledge_base_agent.operations.undoable import (
    UndoableArguments,
    UndoableTarget,
    for_how_long,
)
from knowledge_base_agent.report import Column, Note, Part, Report, Row, Table, Tone
from knowledge_base_agent.scope import Scope
from knowledge_base_agent.wording import counted

if TYPE_CHECKING:
    from knowledge_base_agent.deployment import Deployment

_COUNT_SECONDS = 1.0
_AGAIN_SECONDS = 4.0
"""Longer than the first look, so that what could be counted then can be counted again."""
_COLUMNS = (
    Column(key="store", label="Where"),
    Column(key="go", label="Go"),
    Column(key="kept", label="Stay"),
)


class _Which(Arguments):
    """Whether running tasks are spared."""

    all: Annotated[
        bool, Word(read=None, help="the keys of running tasks too, which are kept otherwise")
    ] = False


class FlushArguments(UndoableArguments, _Which):
    """Whether running tasks are spared, and whether what goes can be had back."""


class FlushTarget(UndoableTarget):
    """What was agreed to: the keys of tasks that do not run then, or all."""

    everything: bool
    previewed_at: datetime
    drawn: Mapping[str, tuple[int, ...]] = {}
    """Of each store's keys that were shown, some by which a later look tells others from them (`flush_drawing`)."""


def _preview(deployment: "Deployment", arguments: FlushArguments) -> Preview[FlushTarget]:
    target = FlushTarget(
        everything=arguments.all, previewed_at=utc_now(), no_undo=arguments.no_undo
    )
    return _looked(deployment, target, _keeping(deployment, target))[0]


def _keeping(deployment: "Deployment", target: FlushTarget) -> Keeping:
    return keeping(deployment, everything_goes=target.everything, previewed_at=target.previewed_at)


def _again(deployment: "Deployment", target: FlushTarget) -> Preview[FlushTarget]:
    keep = _keeping(deployment, target)
    preview, tallies = _looked(deployment, target, keep, seconds=_AGAIN_SECONDS)
    fresh = {
        _keys(one): number
        for one in tallies
        if one.complete and one.store.source in target.drawn
        if (number := others(target.drawn[one.store.source], one.drawn, one.gone))
    }
    return replace(preview, scope=preview.scope.model_copy(update={"fresh": fresh}))


def _looked(
    deployment: "Deployment",
    target: FlushTarget,
    keep: Keeping,
    *,
    seconds: float = _COUNT_SECONDS,
) -> tuple[Preview[FlushTarget], list[Tally]]:
    stores = stores_of(deployment)
    tallies = [count_keys(deployment, store, keep, seconds / 2) for store in stores]
    total, complete = sum(one.gone for one in tallies), all(one.complete for one in tallies)
    flows = {_keys(one): one.gone if one.complete else None for one in tallies}
    drawn = {one.store.source: one.drawn for one in tallies if one.complete}
    preview = Preview(
        target=target.model_copy(update={"drawn": drawn}),
        report=_previewed(
            tallies, keep, for_how_long(deployment, no_undo=target.no_undo), complete=complete
        ),
        scope=Scope(flows=flows),
        affected=total if complete else None,
        grave="it spares not even what running tasks told" if target.everything else "",
        touches=Touched(),
    )
    return preview, tallies


def _keys(tally: Tally) -> str:
    return f"keys in {tally.store.source}"


def _previewed(tallies: list[Tally], keep: Keeping, undo: str, *, complete: bool) -> Report:
    total, kept = sum(one.gone for one in tallies), sum(one.kept for one in tallies)
    if total == 0 and complete:
        said = (
            f"No key is there to remove; {what_stays(tallies, keep)}."
            if kept
            else "No key is there."
        )
        return Report(
            title="Nothing to flush",
            text=said,
            parts=keep.notes() if kept else (),
            taken_at=utc_now(),
            tone=Tone.WARNING if keep.doubt and kept else Tone.NEUTRAL,
        )
    keys = counted(total, "key") if complete else f"at least {counted(total, 'key')}"
    return Report(
        title=f"Flush {keys}?",
        text=f"About to remove {keys} of progress and logs; {what_stays(tallies, keep)}. {undo} The history, the "
        "broker and the results are not touched.",
        parts=(_table("What is there", tallies), *keep.notes()),
        tone=Tone.WARNING,
        taken_at=utc_now(),
    )


def _table(caption: str, tallies: list[Tally]) -> Table:
    rows = tuple(
        Row(
            cells=(
                f"{one.store.source} ({one.store.prefix.decode()}*)",
                one.gone if one.complete else f"at least {one.gone:,}",
                one.kept if one.complete else f"at least {one.kept:,}",
            )
        )
        for one in tallies
    )
    return Table(caption=caption, columns=_COLUMNS, rows=rows, total=len(rows))


def _run(deployment: "Deployment", target: FlushTarget, progress: Progress) -> Report:
    stores = stores_of(deployment)
    keep = _keeping(deployment, target)
    expected = at_most(stores)
    done: list[Tally] = []
    sources = [one.source for one in stores]
    with removing_keys(deployment, sources, no_undo=target.no_undo) as removal:
        for store in stores:
            first = sum(one.gone for one in done)
            told = lambda n, first=first: progress(first + n, expected, "keys")  # noqa: E731
            done.append(remove_keys(deployment, store, keep, removal, told))
    return _ended(done, keep)


def _ended(done: list[Tally], keep: Keeping) -> Report:
    total, kept = sum(one.gone for one in done), sum(one.kept for one in done)
    parts: list[Part] = [_table("What was removed", done), *keep.notes(), *_left(done)]
    keys = counted(total, "key")
    return Report(
        title=f"Flushed {keys}",
        text=f"Removed {keys} of progress and logs; {what_stays(done, keep)}.",
        parts=tuple(parts),
        tone=Tone.GOOD if len(parts) == 1 else Tone.WARNING,
        taken_at=utc_now(),
        data={"removed": {one.store.source: one.gone for one in done}, "kept": kept},
    )


def _left(done: list[Tally]) -> Iterator[Note]:
    """Look again: what is there beyond what was kept came meanwhile."""
    found = still_there([one.store for one in done])
    for one in done:
        source, now = one.store.source, found[one.store.source]
        if isinstance(now, Unknown):
            said = f"Whether keys came to {source} meanwhile is unknown: {now.reason}"
            yield Note(text=said, tone=Tone.WARNING)
        elif now > one.kept:
            said = f"{counted(now - one.kept, 'key')} came to {source} meanwhile, and stay."
            yield Note(text=said, tone=Tone.WARNING)


FLUSH = Operation[FlushArguments, FlushTarget](
    name="flush",
    aliases=("flush-redis",),
    summary="Removes the progress and the log lines of tasks that do not run.",
    risk=Risk.DESTROY,
    arguments=FlushArguments,
    preview=_preview,
    again=_again,
    run=_run,
    target=FlushTarget,
)
