"""`revoke`: keep tasks from running, or stop those that run; and look afterwards whether they really stopped."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from knowledge_base_agent.actors import who_acts
from knowledge_base_agent.clock import utc_now
from knowledge_base_agent.operations.chosen import chosen_rows
from knowledge_base_agent.operations.headcount import headcount_notes
from knowledge_base_agent.operations.lingering import Lingering, find_lingering
from knowledge_base_agent.operations.operation import Operation, Preview, Progress, Risk, touched
from knowledge_base_agent.operations.revoke_arguments import (
    UNFINISHED,
    RevokeArguments,
    RevokeTarget,
)
from knowledge_base_agent.operations.revoke_remembering import remembering
from knowledge_base_agent.operations.revoke_report import (
    LISTED,
    kill_report,
    look_before,
    revoke_and_verify,
)
from knowledge_base_agent.operations.revoke_targets import (
    Reached,
    RevokeTargets,
    all_active,
    by_ids,
)
from knowledge_base_agent.operations.revoke_wording import announced, nothing_running
from knowledge_base_agent.redaction import plain
from knowledge_base_agent.report import Action, Column, Note, Part, Report, Row, Table, Tone
from knowledge_base_agent.scope import Scope
from knowledge_base_agent.wording import counted

if TYPE_CHECKING:
    from knowledge_base_agent.deployment import Deployment

_COLUMNS = (
    Column(key="name", label="Task"),
    Column(key="where", label="Where it is"),
    Column(key="process", label="Process"),
    Column(key="id", label="Id"),
)


def _preview(deployment: "Deployment", arguments: RevokeArguments) -> Preview[RevokeTarget]:
    if arguments.kill and arguments.ids:
        lingering = find_lingering(deployment, arguments.ids)
        if lingering:
            return _kill_preview(lingering)
    stops = arguments.terminate or arguments.kill
    ids, more = arguments.ids, ""
    if arguments.filters():
        chosen = chosen_rows(deployment, (), arguments, default=UNFINISHED)
        ids, more = tuple(row.id for row in chosen.rows), chosen.more
        if not ids:
            return _nothing_chosen(arguments)
    found = (
        all_active(deployment, terminate=stops)
        if arguments.all_active
        else by_ids(deployment, ids, terminate=stops)
    )
    signal = "SIGKILL" if arguments.kill else "SIGTERM"
    return _looked(found, signal, terminate=stops, instead=_terminating(arguments), more=more)


def _again(deployment: "Deployment", target: RevokeTarget) -> Preview[RevokeTarget]:
    if target.lingering:
        ids = [one.id for one in target.lingering]
        return _kill_preview(find_lingering(deployment, ids))
    found = by_ids(deployment, target.ids, terminate=target.terminate)
    return _looked(found, target.signal, terminate=target.terminate)


def _looked(
    found: RevokeTargets,
    signal: str,
    *,
    terminate: bool,
    instead: tuple[Action, ...] = (),
    more: str = "",
) -> Preview[RevokeTarget]:
    target = RevokeTarget(
        ids=tuple(one.id for one in found.reached),
        waiting=tuple(one.id for one in found.reached if one.worker is None),
        held_by={one.id: one.worker for one in found.reached if one.worker is not None},
        terminate=terminate,
        signal=signal,
    )
    report = _previewed(found, target, instead, more)
    scope = Scope(names={"task": frozenset(target.ids)})
    names = touched(
        queues=(one.queue for one in found.reached), tasks=(one.name for one in found.reached)
    )
    return Preview(
        target=target, report=report, scope=scope, affected=len(found.reached), touches=names
    )


def _nothing_chosen(arguments: RevokeArguments) -> Preview[RevokeTarget]:
    target = RevokeTarget(ids=(), waiting=(), held_by={}, terminate=False, signal="SIGTERM")
    text = f"The rows know no unfinished tasks {arguments.said()}."
    report = Report(title="Nothing to revoke", text=text, taken_at=utc_now())
    return Preview(target=target, report=report, scope=Scope(), affected=0)


def _kill_preview(lingering: tuple[Lingering, ...]) -> Preview[RevokeTarget]:
    target = RevokeTarget(
        ids=(), waiting=(), held_by={}, terminate=True, signal="SIGKILL", lingering=lingering
    )
    rows = tuple(
        Row(cells=(plain(one.name, 120), f"lingers on {one.worker}", str(one.process), one.id))
        for one in lingering
    )
    tasks = counted(len(lingering), "task")
    warning = Note(
        text="SIGKILL ends the process at once; what the task had half done stays half done. The worker starts a new "
        "process in its place.",
        tone=Tone.WARNING,
    )
    report = Report(
        title=f"Kill {tasks}?",
        text=f"About to send SIGKILL to the process of {tasks}, revoked before and still at it.",
        parts=(Table(caption="Tasks", columns=_COLUMNS, rows=rows, total=len(rows)), warning),
        tone=Tone.WARNING,
        taken_at=utc_now(),
    )
    processes = frozenset(f"{one.process} on {one.worker}, of {one.id}" for one in lingering)
    scope = Scope(names={"process": processes})
    names = touched(tasks=(one.name for one in lingering))
    return Preview(
        target=target, report=report, scope=scope, affected=len(lingering), touches=names
    )


def _run(deployment: "Deployment", target: RevokeTarget, progress: Progress) -> Report:
    if target.lingering:
        return kill_report(deployment, target.lingering, progress)
    before = look_before(deployment, target.ids)
    with remembering(deployment, target.ids, by=who_acts(), terminate=target.terminate):
        return revoke_and_verify(
            deployment,
            before,
            ids=target.ids,
            waiting=target.waiting,
            held_by=target.held_by,
            signal=target.signal if target.terminate else None,
            progress=progress,
        )


def _previewed(
    found: RevokeTargets, target: RevokeTarget, instead: tuple[Action, ...], more: str
) -> Report:
    if not found.reached:
        return Report(
            title="Nothing to revoke",
            text=nothing_running(found),
            parts=(*_warnings(found), *headcount_notes(found.fleet)),
            tone=Tone.WARNING,
        )
    tasks = counted(len(found.reached), "task")
    runs_on = found.running > 0 and not target.terminate
    return Report(
        title=f"Stop {tasks}?" if target.terminate else f"Revoke {tasks}?",
        text=announced(found, target.signal if target.terminate else None),
        parts=tuple(_parts(found, more, runs_on=runs_on)),
        tone=Tone.WARNING,
        actions=instead if runs_on else (),
        taken_at=utc_now(),
    )


def _parts(found: RevokeTargets, more: str, *, runs_on: bool) -> Iterator[Part]:
    rows = tuple(_row(one) for one in found.reached[:LISTED])
    yield Table(caption="Tasks", columns=_COLUMNS, rows=rows, total=len(found.reached))
    if more:
        yield Note(text=more, tone=Tone.WARNING)
    yield from _warnings(found)
    yield from _chords(found)
    yield from headcount_notes(found.fleet)
    if runs_on:
        yield Note(
            text=f"{counted(found.running, 'running task')} will run on to the end: a revoke alone keeps a task from "
            "starting. Add --terminate to stop what runs.",
            tone=Tone.WARNING,
        )


def _terminating(arguments: RevokeArguments) -> tuple[Action, ...]:
    words = arguments.again("--terminate")
    return (Action(label="Stop them instead", words=words, danger=True),) if words else ()


def _row(one: Reached) -> Row:
    # A process id is a name, not an amount: as text it gets no thousands separators.
    process = str(one.process) if one.process is not None else ""
    name = plain(one.name, 120) if one.name else None
    return Row(cells=(name, plain(one.where, 160), process, plain(one.id, 128)))


def _warnings(found: RevokeTargets) -> list[Note]:
    said = [*found.left_out, *found.warnings]
    notes = [Note(text=plain(text, 300), tone=Tone.WARNING) for text in said[:LISTED]]
    more = len(said) - len(notes)
    return [*notes, Note(text=f"And {more} more of the kind.")] if more else notes


def _chords(found: RevokeTargets) -> list[Note]:
    members = [one for one in found.reached if one.chord]
    if not members:
        return []
    tasks = counted(len(members), "of these is part of a chord", "of these are parts of chords")
    return [Note(text=f"{tasks}: without it the chord's body never runs.", tone=Tone.WARNING)]


REVOKE = Operation[RevokeArguments, RevokeTarget](
    name="revoke",
    aliases=("revoke-tasks",),
    summary="Keeps tasks from running, or stops them, and looks whether they did.",
    risk=Risk.DESTROY,
    arguments=RevokeArguments,
    preview=_preview,
    again=_again,
    run=_run,
    target=RevokeTarget,
)
