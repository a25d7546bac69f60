"""`undo`: bring back what a run has removed or changed, as far as nothing newer stands in its place."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, NoReturn

from knowledge_base_agent.actors import acting_run
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
from knowledge_base_agent.operations.undo_kinds import Item
from knowledge_base_agent.operations.undo_list import KINDS
from knowledge_base_agent.operations.who_wanted import who_wanted
from knowledge_base_agent.operations.words import run_id as read_run_id
from knowledge_base_agent.problems import NotFound, TooLate
from knowledge_base_agent.records.database import reading, writing
from knowledge_base_agent.records.keepsakes import (
    Keepsake,
    State,
    bringable,
    claim,
    keepsakes_of,
    undone,
)
from knowledge_base_agent.redaction import plain
from knowledge_base_agent.report import Column, Report, Row, Table, Tone
from knowledge_base_agent.runs import Run, is_over, read_run
from knowledge_base_agent.scope import Scope

if TYPE_CHECKING:
    from knowledge_base_agent.deployment import Deployment

_NAME = "undo"
_COLUMNS = (
    Column(key="what", label="What"),
    Column(key="number", label="Back"),
    Column(key="left", label="Not"),
    Column(key="why", label="Why"),
)


class UndoArguments(Arguments):
    """Which run."""

    run: Annotated[
        str,
        Word(
            read=read_run_id,
            help="the run to take back, as its report and the audit name it",
            example="op-12",
            positional=True,
        ),
    ]


class UndoTarget(Target):
    """The exact things that were put aside, in the order in which they come back."""

    run: str
    keepsakes: tuple[str, ...]


_ONE = {"messages": "message", "keys": "key", "rows": "row", "results": "result"}
"""What kinds of items are called where there is one."""


def _preview(deployment: "Deployment", arguments: UndoArguments) -> Preview[UndoTarget]:
    return _looked(deployment, arguments.run, only=None)


def _again(deployment: "Deployment", target: UndoTarget) -> Preview[UndoTarget]:
    return _looked(deployment, target.run, only=target.keepsakes)


def _looked(
    deployment: "Deployment", run_id: str, *, only: Sequence[str] | None
) -> Preview[UndoTarget]:
    with reading(deployment.engine) as connection:
        run = read_run(connection, run_id)
        _refuse_while_it_goes_on(run)
        every = keepsakes_of(connection, run_id)
        wanted = who_wanted(connection, run)
        found = [one for one in bringable(every, utc_now()) if only is None or one.id in only]
        for one in found:
            _refuse_if_busy(deployment, one)
    if not found:
        _nothing(run, wanted, every)
    items = [item for one in found for item in KINDS[one.kind].look(deployment, one)]
    numbers = [item.number for item in items]
    return Preview(
        target=UndoTarget(run=run.id, keepsakes=tuple(one.id for one in found)),
        report=_previewed(run, wanted, found, items),
        scope=Scope(
            names={"keepsake": frozenset(one.id for one in found)},
            counts={item.what: item.number for item in items if item.number is not None},
        ),
        affected=None if None in numbers else sum(number or 0 for number in numbers),
    )


def _refuse_while_it_goes_on(run: Run) -> None:
    """Raise `TooLate` for a run that would go on to put things aside under what has been brought back by then."""
    if not is_over(run):
        raise TooLate(
            f"{run.id} has not ended, as far as is known.",
            "It can be taken back as soon as it has, or once its process has been silent for 30 s.",
        )


def _refuse_if_busy(deployment: "Deployment", one: Keepsake) -> None:
    """Raise `TooLate` while another run brings this back; what such a run left behind when it broke off is free."""
    if one.state is not State.UNDOING or one.undone_by is None:
        return
    with reading(deployment.engine) as connection:
        other = read_run(connection, one.undone_by)
    if not is_over(other):
        raise TooLate(
            f"{other.actor_name} brings this back already, as {other.id}.",
            "Its message shows what comes of it.",
        )


def _nothing(run: Run, wanted: str, every: Sequence[Keepsake]) -> NoReturn:
    what = f"{run.id} ({run.operation}, {wanted}) can't be taken back"
    done = next((one for one in every if one.state is State.UNDONE), None)
    if run.operation == _NAME:
        raise NotFound(
            f"{what}: it was an undo itself.", "Ask for the operation again that it took back."
        )
    if done is not None:
        raise NotFound(f"{what}: {done.undone_by} has done that already.", "Look with `stats`.")
    if every:
        at = max(one.expires_at for one in every)
        raise NotFound(
            f"{what}: the time for it was over at {at:%Y-%m-%d %H:%M} UTC.",
            "KB_UNDO_HOURS says how long things are kept.",
        )
    raise NotFound(
        f"{what}: it has put nothing aside.",
        "It removed nothing, was told --no-undo, or its kind can't be undone: docs/undo.md lists them.",
    )


def _previewed(run: Run, wanted: str, found: Sequence[Keepsake], items: Sequence[Item]) -> Report:
    who = f"{plain(run.words, 120)}, {wanted} at {run.started_at:%Y-%m-%d %H:%M} UTC"
    half = any(one.state is State.UNDOING for one in found)
    if not any(item.number != 0 for item in items):
        broke_off = " An undo of it broke off: it may have brought back all." if half else ""
        return Report(
            title=f"Nothing of {run.id} can come back",
            text=f"{run.id} was {who}. {_said(items) or 'Nothing of it is aside any more'}.{broke_off}",
            parts=(_table("What does not come back", items),) if items else (),
            tone=Tone.WARNING,
            taken_at=utc_now(),
        )
    again = " An undo of it broke off; this goes on with it." if half else ""
    return Report(
        title=f"Undo {run.id}?",
        text=f"About to bring back {_said(items)}. {run.id} was {who}.{again}",
        parts=(_table("What comes back", items),),
        tone=Tone.WARNING,
        taken_at=utc_now(),
    )


def _said(items: Sequence[Item]) -> str:
    back = [_item(item.number, item) for item in items if item.number != 0]
    left = [_item(item.left, item) for item in items if item.left]
    return "; ".join([*back, *([f"not {', '.join(left)}"] if left else [])])


def _item(number: int | None, item: Item) -> str:
    amount = "an unknown number of" if number is None else f"{number:,}"
    kind, *rest = item.what.split(" ")
    return " ".join([amount, _ONE.get(kind, kind) if number == 1 else kind, *rest])


def _table(caption: str, items: Sequence[Item]) -> Table:
    rows = tuple(
        Row(
            cells=(item.what, item.number, item.left or "", plain(item.why, 300)),
            tone=Tone.WARNING if item.left or item.why else Tone.NEUTRAL,
        )
        for item in items
    )
    return Table(caption=caption, columns=_COLUMNS, rows=rows, total=len(rows))


def _run(deployment: "Deployment", target: UndoTarget, progress: Progress) -> Report:
    me = acting_run() or ""
    with reading(deployment.engine) as connection:
        run = read_run(connection, target.run)
        kept = {one.id: one for one in keepsakes_of(connection, target.run)}
    items: list[Item] = []
    for one in (kept[each] for each in target.keepsakes if each in kept):
        _refuse_if_busy(deployment, one)
        with writing(deployment.engine) as connection:
            mine = claim(connection, one, me)
        if not mine:
            why = "somebody else has brought it back, or its time is over"
            items.append(Item(what=one.kind, number=0, left=one.number or 0, why=why))
            continue
        items += KINDS[one.kind].bring_back(deployment, one, progress)
        with writing(deployment.engine) as connection:
            undone(connection, one.id, me)
    return _report(run, items)


def _report(run: Run, items: Sequence[Item]) -> Report:
    whole = not any(item.left for item in items)
    came = sum(item.number or 0 for item in items)
    return Report(
        title=f"Undid {run.id}" if whole else f"Undid {run.id}, not all of it",
        text=f"Brought back {_said(items) or 'nothing'}.",
        parts=(_table("What came back", items),) if items else (),
        tone=Tone.GOOD if whole else Tone.WARNING,
        taken_at=utc_now(),
        succeeded=bool(came) or whole,
        data={
            "undone": run.id,
            "back": {item.what: item.number for item in items},
            "left": {item.what: item.left for item in items if item.left},
        },
    )


UNDO = Operation[UndoArguments, UndoTarget](
    name=_NAME,
    summary="Brings back what a run has removed or changed, for a day after it.",
    risk=Risk.DESTROY,
    arguments=UndoArguments,
    preview=_preview,
    again=_again,
    run=_run,
    target=UndoTarget,
)
