"""`purge`: throw away what waits in queues, exactly counted; what workers hold is said, and left to `revoke`."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated

from msgspec.structs import replace

from knowledge_base_agent.clock import utc_now
from knowledge_base_agent.fleet.deadline import Deadline
from knowledge_base_agent.fleet.newest import End
from knowledge_base_agent.fleet.purging import known_queue
from knowledge_base_agent.operations.operation import (
    Arguments,
    Operation,
    Preview,
    Progress,
    Risk,
    Word,
    touched,
)
from knowledge_base_agent.operations.parked_messages import aside_notes
from knowledge_base_agent.operations.purge_figures import (
    PurgeFigures,
    held_notes,
    names_of,
    queue_table,
    read_purge_figures,
    revoke_them,
    sample_notes,
)
from knowledge_base_agent.operations.purge_report import purge_report
from knowledge_base_agent.operations.undo_messages import purge_undoably
from knowledge_base_agent.operations.undo_moved_messages import BEHIND
from knowledge_base_agent.operations.undoable import (
    UndoableArguments,
    UndoableTarget,
    for_how_long,
)
from knowledge_base_agent.operations.words import queue as read_queue
from knowledge_base_agent.problems import Away
from knowledge_base_agent.redaction import plain
from knowledge_base_agent.report import Note, Part, Report, Tone
from knowledge_base_agent.scope import Scope
from knowledge_base_agent.wording import counted

if TYPE_CHECKING:
    from knowledge_base_agent.deployment import Deployment

_PREVIEW_SECONDS = 2.2
_RUN_SECONDS = 60.0
_AGAIN_SECONDS = 4.0


class _Which(Arguments):
    """Which queue."""

    queue: Annotated[
        str | None,
        Word(
            read=read_queue, help="one queue; without it every queue of this app", example="agent"
        ),
    ] = None


class PurgeArguments(UndoableArguments, _Which):
    """Which queue, and whether its messages can be had back."""


class PurgeTarget(UndoableTarget):
    """The exact queues, frozen when the preview was made."""

    queues: tuple[str, ...]
    ends: Mapping[str, tuple[End, ...]] = {}
    """Behind which message of each list nothing was shown; empty where the broker does not tell."""


def _preview(deployment: "Deployment", arguments: PurgeArguments) -> Preview[PurgeTarget]:
    deadline = Deadline.after(_PREVIEW_SECONDS)
    asked = () if arguments.queue is None else (arguments.queue,)
    found = read_purge_figures(deployment, deadline, only=None, asked=asked)
    if arguments.queue is not None:
        found = found.of((known_queue(found.queues, arguments.queue),))
    preview = _looked(deployment, deadline, found, no_undo=arguments.no_undo)
    everything = arguments.queue is None
    return replace(preview, grave="it purges every queue") if everything else preview


def _again(deployment: "Deployment", target: PurgeTarget) -> Preview[PurgeTarget]:
    deadline = Deadline.after(_PREVIEW_SECONDS)
    found = read_purge_figures(deployment, deadline, only=target.queues)
    came = deployment.fleet.purging.came(deadline, target.ends)
    preview = _looked(deployment, deadline, found, no_undo=target.no_undo)
    fresh = {_messages(name): number for name, number in came.items() if number}
    parts = (*(_moving(name) for name, number in came.items() if number), *preview.report.parts)
    return replace(
        preview,
        scope=preview.scope.model_copy(update={"fresh": fresh}),
        report=replace(preview.report, parts=parts),
    )


def _moving(queue: str) -> Note:
    name = plain(queue, 80)
    return Note(
        text=f"Messages came to {name} since it was shown. Where they come faster than you confirm, `pause {name}` "
        "first: then it holds still."
    )


def _looked(
    deployment: "Deployment", deadline: Deadline, found: PurgeFigures, *, no_undo: bool
) -> Preview[PurgeTarget]:
    ends = deployment.fleet.purging.ends(deadline, found.names)
    samples = deployment.fleet.purging.samples(deadline, found.names)
    parts: list[Part] = [queue_table(found), *sample_notes(samples), *held_notes(found)]
    kept = _kept(deployment, no_undo=no_undo)
    parts += aside_notes(deployment, deadline, found.names)
    return Preview(
        target=PurgeTarget(queues=found.names, ends=ends, no_undo=no_undo),
        report=_previewed(found, tuple(parts), kept),
        scope=Scope(flows={_messages(one.name): one.ready for one in found.depths}),
        affected=found.ready,
        touches=touched(queues=found.names, tasks=names_of(found, samples)),
        leaves=frozenset(_messages(name) for name in found.left),
    )


def _messages(queue: str) -> str:
    return f"messages in {queue}"


def _kept(deployment: "Deployment", *, no_undo: bool) -> str:
    fleet = deployment.fleet
    if no_undo or fleet.asides.possible:
        return for_how_long(deployment, no_undo=no_undo)
    if not fleet.amqp_asides.possible:
        return "For good: on this broker they can't be put aside."
    return f"{for_how_long(deployment, no_undo=False)} {BEHIND}"


def _previewed(found: PurgeFigures, parts: tuple[Part, ...], kept: str) -> Report:
    queues = counted(len(found.names), "queue")
    if found.ready == 0:
        return Report(
            title="Nothing to purge",
            text=f"Nothing waits in {queues}; {found.held_sentence}.",
            parts=parts,
            actions=revoke_them(found),
            taken_at=utc_now(),
        )
    messages = counted(found.ready, "message")
    return Report(
        title=f"Purge {messages}?",
        text=f"About to remove {messages} from {queues}: {_listed(found)}. {kept} "
        f"Not touched: {found.held_sentence}.",
        parts=parts,
        tone=Tone.WARNING,
        taken_at=utc_now(),
    )


def _listed(found: PurgeFigures) -> str:
    waiting = [one for one in found.depths if one.ready != 0]
    said = [
        f"{'an unknown number' if one.ready is None else f'{one.ready:,}'} in {plain(one.name, 60)}"
        for one in waiting
    ]
    return ", ".join(said[:10]) + (f", and {len(said) - 10} more queues" if len(said) > 10 else "")


def _run(deployment: "Deployment", target: PurgeTarget, progress: Progress) -> Report:
    total = len(target.queues)
    emptied = purge_undoably(
        deployment,
        Deadline.after(_RUN_SECONDS),
        target.queues,
        progress=progress,
        no_undo=target.no_undo,
    )
    progress(total, total, "counting again")
    try:
        after = read_purge_figures(deployment, Deadline.after(_AGAIN_SECONDS), only=target.queues)
    except Away as problem:
        note = Note(text=f"Not counted again: {problem.what}", tone=Tone.WARNING)
        return purge_report(emptied, None, (note,))
    return purge_report(emptied, after, tuple(held_notes(after)))


PURGE = Operation[PurgeArguments, PurgeTarget](
    name="purge",
    aliases=("purge-queues",),
    summary="Throws away what waits in queues, and says what workers already hold.",
    risk=Risk.DESTROY,
    arguments=PurgeArguments,
    preview=_preview,
    again=_again,
    run=_run,
    target=PurgeTarget,
)
