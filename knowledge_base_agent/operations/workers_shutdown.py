"""`workers shutdown`: end workers by name, drained before and looked for afterwards."""

from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

from knowledge_base_agent.clock import utc_now
from knowledge_base_agent.fleet.deadline import Deadline
from knowledge_base_agent.fleet.shutting_down import End, NodeEnd, shut_down
from knowledge_base_agent.fleet.views import FleetView
from knowledge_base_agent.operations.chosen_workers import chosen_workers, worker_name
from knowledge_base_agent.operations.headcount import headcount, headcount_notes
from knowledge_base_agent.operations.operation import (
    Arguments,
    Operation,
    Preview,
    Progress,
    Risk,
    Target,
    Touched,
    Word,
    touched,
)
from knowledge_base_agent.operations.words import duration as read_duration
from knowledge_base_agent.problems import NotFound
from knowledge_base_agent.redaction import plain
from knowledge_base_agent.report import Action, Column, Note, Part, Report, Row, Table, Tone
from knowledge_base_agent.scope import Scope
from knowledge_base_agent.wording import counted, duration

if TYPE_CHECKING:
    from knowledge_base_agent.deployment import Deployment

_LOOK_SECONDS = 2.0
_PREVIEWED = (
    Column(key="worker", label="Worker"),
    Column(key="busy", label="Running"),
    Column(key="waiting", label="Taken, waiting"),
    Column(key="eta", label="ETA"),
    Column(key="queues", label="Queues"),
)
_ENDED = (
    Column(key="worker", label="Worker"),
    Column(key="end", label="Now"),
    Column(key="unfinished", label="Unfinished when told"),
    Column(key="eta", label="ETA, back to their queue"),
)


class ShutdownArguments(Arguments):
    """Which workers, and how long they get."""

    workers: Annotated[
        tuple[str, ...],
        Word(
            read=worker_name,
            help="names of workers; without any, all of this app",
            example="agent@host",
            positional=True,
        ),
    ] = ()
    wait: Annotated[
        timedelta,
        Word(read=read_duration, help="how long they get to finish what they have", example="5m"),
    ] = timedelta(minutes=1)


class ShutdownTarget(Target):
    """The exact workers, frozen when the preview was made."""

    workers: tuple[str, ...]
    wait: timedelta


def _preview(deployment: "Deployment", arguments: ShutdownArguments) -> Preview[ShutdownTarget]:
    view = deployment.fleet.workers.look(Deadline.after(_LOOK_SECONDS), fresh=True)
    names = chosen_workers(deployment.fleet, view, arguments.workers)
    return _looked(deployment, view, names, arguments.wait)


def _again(deployment: "Deployment", target: ShutdownTarget) -> Preview[ShutdownTarget]:
    view = deployment.fleet.workers.look(Deadline.after(_LOOK_SECONDS), fresh=True)
    there = deployment.fleet.tellable(view)
    names = tuple(name for name in target.workers if name in there)
    if not names:
        raise NotFound("None of these workers is there any more.", "`workers` shows who is.")
    return _looked(deployment, view, names, target.wait)


def _looked(
    deployment: "Deployment", view: FleetView, names: tuple[str, ...], wait: timedelta
) -> Preview[ShutdownTarget]:
    left = set(deployment.fleet.tellable(view)) - set(names)
    parts: list[Part] = [_preview_table(view, names)]
    if not left:
        text = "No worker of this app will be left: what is sent then waits until one is started."
        parts.append(Note(text=text, tone=Tone.WARNING))
    parts.append(Note(text="Nothing here starts a worker again; whatever supervises them may."))
    workers = counted(len(names), "worker")
    return Preview(
        target=ShutdownTarget(workers=names, wait=wait),
        report=Report(
            title=f"Shut down {workers}?",
            text=f"About to stop {workers} from taking tasks, give them {duration(wait)} to finish what they "
            f"have, and end them ({headcount(view)}).",
            parts=(*parts, *headcount_notes(view)),
            tone=Tone.WARNING,
            taken_at=utc_now(),
        ),
        scope=Scope(names={"worker": frozenset(names)}),
        affected=len(names),
        grave="" if left else "it ends every worker",
        touches=_touches(view, names),
        leaves=frozenset(left),
    )


def _touches(view: FleetView, names: tuple[str, ...]) -> Touched:
    heard = [one for one in view.workers if one.name in names]
    silent = [None for name in names if name not in {one.name for one in heard}]
    queues = [queue for one in heard for queue in ((None,) if one.queues is None else one.queues)]
    return touched(
        queues=[*queues, *silent], tasks=[*(t.name for one in heard for t in one.held), *silent]
    )


def _preview_table(view: FleetView, names: tuple[str, ...]) -> Table:
    rows = [
        Row(
            cells=(
                plain(one.name, 80),
                one.busy,
                one.waiting,
                one.postponed,
                None
                if one.queues is None
                else ", ".join(plain(q, 60) for q in one.queues) or "none",
            )
        )
        for one in view.workers
        if one.name in names
    ]
    heard = {one.name for one in view.workers}
    rows += [Row(cells=(plain(one, 80), *[None] * 4)) for one in names if one not in heard]
    return Table(caption="Workers", columns=_PREVIEWED, rows=tuple(rows), total=len(rows))


def _run(deployment: "Deployment", target: ShutdownTarget, progress: Progress) -> Report:
    ends = shut_down(
        deployment.fleet,
        target.workers,
        drain=Deadline.after(target.wait),
        told=lambda idle, total: progress(idle, total, "workers have nothing left to do"),
    )
    return _report(ends)


def _report(ends: tuple[NodeEnd, ...]) -> Report:
    gone = [one for one in ends if one.end is End.GONE]
    every = len(gone) == len(ends)
    tones = {End.GONE: Tone.GOOD, End.FINISHING: Tone.WARNING, End.UNKNOWN: Tone.WARNING}
    rows = tuple(
        Row(
            cells=(plain(one.worker, 80), one.end.value, one.unfinished, one.postponed),
            tone=tones.get(one.end, Tone.BAD),
        )
        for one in ends
    )
    tally = {end: sum(one.end is end for one in ends) for end in End}
    said = ", ".join(f"{number} {end.value}" for end, number in tally.items() if number)
    workers = counted(len(ends), "worker")
    return Report(
        title=f"Shut down {workers}" if every else "Shutdown: not all seen to be gone",
        text=f"{workers}: {said}.",
        parts=(
            Table(caption="Workers", columns=_ENDED, rows=rows, total=len(rows)),
            *_notes(tally),
        ),
        tone=Tone.GOOD if every else Tone.WARNING,
        actions=(Action(label="Workers", words="workers"),),
        succeeded=not tally[End.STILL_THERE] and not tally[End.UNKNOWN],
        taken_at=utc_now(),
        data={"ends": {one.worker: one.end.value for one in ends}},
    )


def _notes(tally: dict[End, int]) -> list[Note]:
    said = []
    if tally[End.FINISHING]:
        said.append(
            "Those that finish no longer listen: what they had begun runs on to its end, unseen, and then they go."
        )
    if tally[End.STILL_THERE]:
        said.append(
            "Those that are still there were told to take nothing more, and do nothing now."
        )
    if tally[End.UNKNOWN]:
        said.append(
            "Those that don't answer were told: they may still end when they wake. Look again."
        )
    return [Note(text=text, tone=Tone.WARNING) for text in said]


SHUTDOWN = Operation[ShutdownArguments, ShutdownTarget](
    name="workers shutdown",
    summary="Ends workers by name, after they have finished what they have.",
    risk=Risk.DESTROY,
    arguments=ShutdownArguments,
    preview=_preview,
    again=_again,
    run=_run,
    target=ShutdownTarget,
)
