"""`stuck`: tasks that run too long, stalled, are past their time limit, or have lost their worker."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated

from knowledge_base_agent.clock import utc_now
from knowledge_base_agent.fleet.deadline import Deadline, Unknown, gather
from knowledge_base_agent.fleet.views import FleetView
from knowledge_base_agent.operations.active import told, told_progress
from knowledge_base_agent.operations.headcount import LOOK_SECONDS, headcount, headcount_notes
from knowledge_base_agent.operations.history_figures import recorder_notes
from knowledge_base_agent.operations.operation import Arguments, Operation, Risk, Target, Word
from knowledge_base_agent.operations.operation import Progress as Telling
from knowledge_base_agent.operations.stuckness import SETTLING, StuckTask, Trouble, find_stuck
from knowledge_base_agent.operations.words import duration as read_duration
from knowledge_base_agent.problems import Away
from knowledge_base_agent.records.database import reading
from knowledge_base_agent.records.recorder_state import RecorderState, read_recorder_state
from knowledge_base_agent.records.states import WITH_WORKERS
from knowledge_base_agent.records.task_history import TaskRecord, unfinished
from knowledge_base_agent.records.task_progress import Progress
from knowledge_base_agent.redaction import plain
from knowledge_base_agent.report import Action, Column, Note, Part, Report, Row, Table, Tone
from knowledge_base_agent.wording import counted, duration

if TYPE_CHECKING:
    from knowledge_base_agent.deployment import Deployment

_SECONDS = 2.2
_MOST = 500
COLUMNS = (
    Column(key="name", label="Task"),
    Column(key="age_seconds", label="Running for"),
    Column(key="why", label="Why it is listed"),
    Column(key="worker", label="Worker"),
    Column(key="progress", label="Progress"),
    Column(key="id", label="Id"),
)
_ORDER = {trouble: number for number, trouble in enumerate(Trouble)}
_SAID_IN_FULL = {Trouble.LET_GO, Trouble.TOO_LONG, Trouble.STALLED, Trouble.PAST_LIMIT}
History = tuple[list[TaskRecord], RecorderState | None]


class StuckArguments(Arguments):
    """How long is too long."""

    longer_than: Annotated[
        timedelta,
        Word(
            read=read_duration, help="how long a task may run; a bare number is hours", example="3h"
        ),
    ] = timedelta(hours=3)


def _answer(deployment: "Deployment", arguments: StuckArguments, progress: Telling) -> Report:
    now = utc_now()
    fleet, history, mailboxes = _read(deployment, now)
    if isinstance(fleet, Unknown) and isinstance(history, Unknown):
        raise Away(
            f"Neither workers nor database answer. {fleet.reason} {history.reason}",
            "Look at the broker and the database server first.",
            source="the broker",
        )
    view = fleet if isinstance(fleet, FleetView) else None
    records = history[0] if isinstance(history, tuple) else []
    said, notes = _progress(deployment, view, records)
    found = sorted(
        find_stuck(
            view, records, said, longer_than=arguments.longer_than, now=now, mailboxes=mailboxes
        ),
        key=lambda one: (_ORDER[one.trouble], -(one.age or timedelta()).total_seconds()),
    )
    parts = [*_table(found), *_unknowns(fleet, history, now), *notes]
    return Report(
        title="Stuck tasks",
        text=_sentence(found, view, arguments.longer_than),
        parts=tuple(parts),
        tone=_tone(found, view, history),
        taken_at=now,
    )


def _read(
    deployment: "Deployment", now: datetime
) -> tuple[FleetView | Unknown, History | Unknown, frozenset[str] | None]:
    deadline = Deadline.after(_SECONDS)

    def rows() -> History:
        with reading(deployment.engine) as connection:
            records = unfinished(
                connection, started_before=now - SETTLING, states=WITH_WORKERS, limit=_MOST
            )
            return records, read_recorder_state(connection)

    def workers() -> FleetView:
        return deployment.fleet.workers.look(deadline.at_most(LOOK_SECONDS))

    def mailboxes() -> frozenset[str] | None:
        return deployment.fleet.mailboxes(deadline.at_most(LOOK_SECONDS))

    asked = {"the workers": workers, "the database": rows, "the mailboxes": mailboxes}
    found: dict[str, object] = gather(deadline, asked)
    fleet, history = found["the workers"], found["the database"]
    if isinstance(fleet, FleetView | Unknown) and isinstance(history, tuple | Unknown):
        bound = found["the mailboxes"]
        return fleet, history, bound if isinstance(bound, frozenset) else None
    raise TypeError("the readings came in another form than they were asked for")


def _progress(
    deployment: "Deployment", view: FleetView | None, records: list[TaskRecord]
) -> tuple[Mapping[str, Progress], tuple[Note, ...]]:
    ids = [task.id for worker in view.workers for task in worker.active] if view else []
    return told_progress(deployment, [*ids, *(record.id for record in records)])


def _table(found: list[StuckTask]) -> Iterator[Part]:
    if found:
        rows = tuple(_row(one) for one in found)
        yield Table(caption="Stuck tasks", columns=COLUMNS, rows=rows, total=len(rows))
    if any(one.trouble is Trouble.ORPHANED for one in found):
        yield Note(
            text="An orphaned task has no process left to stop. If it acknowledges late it runs again by itself; "
            "else start it again. Revoke keeps it from running again; `clear --older-than 1m --status STARTED --status "
            "PROGRESS` then removes the rows of what nothing runs."
        )

    if any(one.trouble is Trouble.FINISHING for one in found):
        yield Note(
            text="A worker that shuts down finishes what it runs, and can be neither asked nor told meanwhile: look at "
            "its process on its machine. If that is gone, the task is orphaned, and starting it again is right."
        )


def _row(one: StuckTask) -> Row:
    runs = one.trouble in {Trouble.PAST_LIMIT, Trouble.STALLED, Trouble.TOO_LONG}
    revoke = f"revoke {one.id} --terminate" if runs else f"revoke {one.id}"
    offered: tuple[Action, ...] = (Action(label="Logs", words=f"logs {one.id}"),)
    if one.trouble is not Trouble.FINISHING:  # nobody would hear a revoke of that
        offered = (Action(label="Revoke", words=revoke, danger=True), *offered)
    return Row(
        cells=(
            plain(one.name, 120),
            one.age,
            one.why if one.trouble in _SAID_IN_FULL else f"{one.trouble.value}: {one.why}",
            plain(one.worker, 80) if one.worker else None,
            told(one.progress),
            plain(one.id, 128),
        ),
        tone=Tone.BAD if one.trouble is Trouble.PAST_LIMIT else Tone.WARNING,
        progress=one.progress.share if one.progress else None,
        actions=offered,
    )


def _unknowns(
    fleet: FleetView | Unknown, history: History | Unknown, now: datetime
) -> Iterator[Part]:
    if isinstance(fleet, Unknown):
        yield Note(
            text=f"What runs now is unknown: {fleet.reason} The rows alone are shown.",
            tone=Tone.BAD,
        )
    else:
        yield from headcount_notes(fleet)
    if isinstance(history, Unknown):
        yield Note(text=f"Orphaned tasks are unknown: {history.reason}", tone=Tone.BAD)
    else:
        yield from recorder_notes(history[1], now)
        if len(history[0]) >= _MOST:
            yield Note(text=f"Only the {_MOST} longest rows were looked at.", tone=Tone.WARNING)


def _sentence(found: list[StuckTask], view: FleetView | None, longer_than: timedelta) -> str:
    who = headcount(view) if view is not None else "the workers can't be asked"
    if not found:
        return f"No stuck tasks seen (longer than {duration(longer_than)}); {who}."
    counts = [
        f"{sum(one.trouble is trouble for one in found)} {trouble.value}"
        for trouble in Trouble
        if any(one.trouble is trouble for one in found)
    ]
    return f"{counted(len(found), 'stuck task')}: {', '.join(counts)}; {who}."


def _tone(found: list[StuckTask], view: FleetView | None, history: History | Unknown) -> Tone:
    if found:
        return Tone.BAD
    sure = view is not None and view.complete and not isinstance(history, Unknown)
    return Tone.GOOD if sure else Tone.WARNING


STUCK = Operation[StuckArguments, Target](
    name="stuck",
    aliases=("stuck-tasks",),
    summary="Finds tasks that run too long, stall, or have lost their worker.",
    risk=Risk.READ,
    arguments=StuckArguments,
    answer=_answer,
)
