"""`workers grow` and `workers shrink`: more slots or fewer, with each worker's word and the size seen afterwards."""

from typing import TYPE_CHECKING, Annotated

from knowledge_base_agent.clock import utc_now
from knowledge_base_agent.fleet.deadline import Deadline
from knowledge_base_agent.fleet.pool_size import Resized, resize
from knowledge_base_agent.fleet.views import FleetView
from knowledge_base_agent.operations.chosen_workers import chosen_workers, worker_name
from knowledge_base_agent.operations.headcount import headcount, headcount_notes
from knowledge_base_agent.operations.operation import (
    Arguments,
    Operation,
    Progress,
    Risk,
    Target,
    Word,
)
from knowledge_base_agent.redaction import plain
from knowledge_base_agent.report import Action, Column, Note, Report, Row, Table, Tone
from knowledge_base_agent.wording import counted

if TYPE_CHECKING:
    from knowledge_base_agent.deployment import Deployment

_LOOK_SECONDS = 2.0
_RESIZE_SECONDS = 8.0
_MOST = 64
_COLUMNS = (
    Column(key="worker", label="Worker"),
    Column(key="before", label="Slots before"),
    Column(key="after", label="Slots now"),
    Column(key="said", label="What it said"),
)


def slots(text: str) -> int:
    """Read a number of slots."""
    if not (text.isascii() and text.isdigit() and 1 <= int(text[:9]) <= _MOST):
        raise ValueError(f"a whole number of slots from 1 to {_MOST}")
    return int(text)


class ResizeArguments(Arguments):
    """By how much, and which workers."""

    slots: Annotated[
        int, Word(read=slots, help="how many slots for each worker", example="2", positional=True)
    ]
    worker: Annotated[
        tuple[str, ...],
        Word(
            read=worker_name,
            help="only this worker, can be given again; without it all of this app",
            example="agent@host",
        ),
    ] = ()


def _grow(deployment: "Deployment", arguments: ResizeArguments, progress: Progress) -> Report:
    return _resized(deployment, arguments, arguments.slots)


def _shrink(deployment: "Deployment", arguments: ResizeArguments, progress: Progress) -> Report:
    return _resized(deployment, arguments, -arguments.slots)


def _resized(deployment: "Deployment", arguments: ResizeArguments, by: int) -> Report:
    fleet = deployment.fleet
    view = fleet.workers.look(Deadline.after(_LOOK_SECONDS), fresh=True)
    nodes = chosen_workers(fleet, view, arguments.worker)
    found = resize(fleet, Deadline.after(_RESIZE_SECONDS), by, nodes, view)
    return _report(found, by, view)


def _report(found: tuple[Resized, ...], by: int, view: FleetView) -> Report:
    done = [one for one in found if one.done(by)]
    verb = "grown" if by > 0 else "shrunk"
    every = len(done) == len(found)
    rows = tuple(
        Row(
            cells=(plain(one.worker, 80), one.before, _now(one), plain(one.said, 200)),
            tone=Tone.NEUTRAL if one.done(by) else Tone.WARNING,
        )
        for one in found
    )
    lasts = Note(text="This lasts until the worker restarts; set --concurrency to keep it.")
    table = Table(caption="Workers", columns=_COLUMNS, rows=rows, total=len(rows))
    workers = counted(len(found), "worker")
    return Report(
        title=f"Workers {verb}" if every else f"Not all workers {verb}",
        text=f"{len(done)} of {workers} seen to have {verb} by {counted(abs(by), 'slot')} ({headcount(view)}).",
        parts=(table, lasts, *headcount_notes(view)),
        tone=Tone.GOOD if every else Tone.WARNING,
        actions=(Action(label="Workers", words="workers"),),
        succeeded=every,
        taken_at=utc_now(),
        data={"slots": {one.worker: _now(one) for one in found}},
    )


def _now(one: Resized) -> int | None:
    return one.after if one.told else one.before


GROW = Operation[ResizeArguments, Target](
    name="workers grow",
    summary="Gives workers more slots, until they restart.",
    risk=Risk.CHANGE,
    arguments=ResizeArguments,
    answer=_grow,
)

SHRINK = Operation[ResizeArguments, Target](
    name="workers shrink",
    summary="Takes slots from workers, until they restart.",
    risk=Risk.CHANGE,
    arguments=ResizeArguments,
    answer=_shrink,
)
