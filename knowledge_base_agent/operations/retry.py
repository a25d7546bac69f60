"""`retry`: send ended tasks again, from their messages and never from a repr, under new ids linked to the old."""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, Self

from pydantic import model_validator

from knowledge_base_agent.clock import utc_now
from knowledge_base_agent.operations.chosen import chosen_rows
from knowledge_base_agent.operations.filtering import Filtering
from knowledge_base_agent.operations.find import error_of
from knowledge_base_agent.operations.operation import (
    Arguments,
    Operation,
    Preview,
    Progress,
    Risk,
    Target,
    Word,
)
from knowledge_base_agent.operations.retry_pace import how_long, lasting, read_rate
from knowledge_base_agent.operations.retry_sending import send_again
from knowledge_base_agent.operations.retry_targets import (
    NOT_KEPT,
    RetryTargets,
    Sendable,
    sendable,
)
from knowledge_base_agent.operations.words import task_id as read_task_id
from knowledge_base_agent.problems import NotFound
from knowledge_base_agent.records.database import reading
from knowledge_base_agent.records.states import FAILURE, FINISHED, STATES, SUCCESS
from knowledge_base_agent.records.task_history import rows_by_ids
from knowledge_base_agent.records.task_retries import already_sent
from knowledge_base_agent.redaction import plain
from knowledge_base_agent.report import Column, Note, Part, Report, Row, Table, Tone
from knowledge_base_agent.scope import Scope
from knowledge_base_agent.wording import counted

if TYPE_CHECKING:
    from knowledge_base_agent.deployment import Deployment

_MOST_IDS = 1000
_SHOWN = 100
_REASONS = 10
_COLUMNS = (
    Column(key="name", label="Task"),
    Column(key="state", label="State"),
    Column(key="queue", label="Queue"),
    Column(key="error", label="Error"),
    Column(key="id", label="Id"),
)
_HOW_TO_KEEP = (
    "Messages are kept from now on with KB_KEEP_MESSAGES=1, in another app with track(app, keep_messages=True) or "
    "Celery's result_extended = True."
)


class _Which(Arguments):
    task_ids: Annotated[
        tuple[str, ...],
        Word(
            read=read_task_id,
            help="exact ids of tasks; or choose them by the words below",
            example="3f2a9c1e-0d5b-4c8e-9f4e-1a2b3c4d5e6f",
            positional=True,
        ),
    ] = ()
    rate: Annotated[
        float, Word(read=read_rate, help="how many are sent a second, minute or hour", example="5/s")
    ] = 5.0  # fmt: skip
    again: Annotated[
        bool, Word(read=None, help="also those that were sent again before")
    ] = False  # fmt: skip


class RetryArguments(Filtering, _Which):
    """Which tasks, and how fast. Chosen by words without a state, those that failed."""

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        if bool(self.task_ids) == self.filters():
            raise ValueError("give ids of tasks, or words that choose them, such as --name")
        if len(self.task_ids) > _MOST_IDS:
            raise ValueError(f"at most {_MOST_IDS} ids at once")
        running = [state for state in self.states if state not in FINISHED]
        if running:
            ended = ", ".join(state for state in STATES if state in FINISHED)
            raise ValueError(f"only ended tasks are sent again by state: {ended}")
        return self


class RetryTarget(Target):
    """The exact tasks, frozen when the preview was made, with the state and the last retry that were seen."""

    states: Mapping[str, str]
    before: Mapping[str, str]
    rate: float
    again: bool


def _preview(deployment: "Deployment", arguments: RetryArguments) -> Preview[RetryTarget]:
    chosen = chosen_rows(deployment, arguments.task_ids, arguments, default=(FAILURE,))
    found = sendable(deployment, chosen.rows, again=arguments.again)
    left_out = {**chosen.unknown, **found.left_out}
    if left_out and not found.sendable:
        _refuse(left_out)
    target = RetryTarget(
        states={one.row.id: one.row.state for one in found.sendable},
        before={one.row.id: one.again_of for one in found.sendable if one.again_of},
        rate=arguments.rate,
        again=arguments.again,
    )
    return _looked(found, chosen.more, left_out, target, arguments.said())


def _again(deployment: "Deployment", target: RetryTarget) -> Preview[RetryTarget]:
    found = _unchanged(deployment, target)
    if not found.sendable:
        _refuse(found.left_out)
    return _looked(found, "", found.left_out, target, "")


def _looked(
    found: RetryTargets, more: str, left_out: Mapping[str, str], target: RetryTarget, said: str
) -> Preview[RetryTarget]:
    scope = Scope(names={"task": frozenset(one.row.id for one in found.sendable)})
    report = _previewed(found, more, left_out, target.rate, said)
    number, touches = len(found.sendable), found.touches
    return Preview(target=target, report=report, scope=scope, affected=number, touches=touches)


def _refuse(left_out: Mapping[str, str]) -> None:
    reasons = Counter(left_out.values())
    said = "; ".join(
        f"{counted(number, 'task')}: {plain(why, 200)}"
        for why, number in reasons.most_common(_REASONS)
    )
    cure = _HOW_TO_KEEP if NOT_KEPT in reasons else "`find` and `task` show what they are."
    raise NotFound(f"Nothing can be sent again. {said}.", cure)


def _previewed(
    found: RetryTargets, more: str, left_out: Mapping[str, str], rate: float, said: str
) -> Report:
    if not found.sendable:
        text = f"The rows know no ended tasks {said or 'of these'}."
        return Report(title="Nothing to retry", text=text, taken_at=utc_now())
    tasks = counted(len(found.sendable), "task")
    takes = how_long(len(found.sendable), rate)
    return Report(
        title=f"Send {tasks} again?",
        text=f"About to send {tasks} again under new ids, {rate:.3g} a second{lasting(takes)}: "
        f"{_by_name(found)}. Each does its work once more.",
        parts=tuple(_parts(found, more, left_out)),
        tone=Tone.WARNING,
        taken_at=utc_now(),
    )


def _by_name(found: RetryTargets) -> str:
    names = Counter(one.message.name for one in found.sendable).most_common()
    said = [f"{number:,} {plain(name, 80)}" for name, number in names[:5]]
    return ", ".join([*said, "…"] if len(names) > len(said) else said)


def _parts(found: RetryTargets, more: str, left_out: Mapping[str, str]) -> Iterator[Part]:
    rows = tuple(_row(one) for one in found.sendable[:_SHOWN])
    yield Table(caption="Tasks", columns=_COLUMNS, rows=rows, total=len(found.sendable))
    if more:
        yield Note(text=more, tone=Tone.WARNING)
    states = Counter(one.row.state for one in found.sendable)
    if states[SUCCESS]:
        done = counted(states[SUCCESS], "of these has", "of these have")
        yield Note(text=f"{done} succeeded before: that work is done twice.", tone=Tone.WARNING)
    lost = sum(number for state, number in states.items() if state not in FINISHED)
    if lost:
        orphans = counted(lost, "of these has", "of these have")
        text = f"{orphans} not ended by the rows, and no worker and no queue has it; it may be half done."
        yield Note(text=text, tone=Tone.WARNING)
    chords = sum(one.message.in_chord for one in found.sendable)
    if chords:
        parts = counted(chords, "of these was part of a chord", "of these were parts of chords")
        yield Note(
            text=f"{parts}: the chord has ended without it, and stays so.", tone=Tone.WARNING
        )
    for text in found.warnings:
        yield Note(text=plain(text, 300), tone=Tone.WARNING)
    yield from _reasons(left_out)


def _reasons(left_out: Mapping[str, str]) -> Iterator[Note]:
    for why, number in Counter(left_out.values()).most_common(_REASONS):
        text = f"Not sent, {counted(number, 'task')}: {plain(why, 200)}."
        how = f" {_HOW_TO_KEEP}" if why == NOT_KEPT else ""
        yield Note(text=text + how, tone=Tone.WARNING)


def _row(one: Sendable) -> Row:
    row = one.row
    queue = plain(row.queue, 80) if row.queue else ""
    return Row(cells=(plain(one.message.name, 120), row.state, queue, error_of(row), row.id))


def _unchanged(deployment: "Deployment", target: RetryTarget) -> RetryTargets:
    """Return those that are as they were when they were shown, and of each other one why it is not sent."""
    with reading(deployment.engine) as connection:
        rows = rows_by_ids(connection, target.states)
    gone = dict.fromkeys(target.states.keys() - rows.keys(), "its row was cleared meanwhile")
    changed = {
        one: f"it was {target.states[one]} when this was previewed, and is {row.state}"
        for one, row in rows.items()
        if row.state != target.states[one]
    }
    left = [row for one, row in rows.items() if one not in changed]
    found = sendable(deployment, left, again=True)
    again = [one for one in found.sendable if one.again_of != target.before.get(one.row.id)]
    with reading(deployment.engine) as connection:
        taken = {one.row.id: already_sent(connection, one.again_of) for one in again}
    return RetryTargets(
        sendable=tuple(one for one in found.sendable if one.row.id not in taken),
        left_out={**gone, **changed, **found.left_out, **taken},
        warnings=found.warnings,
    )


def _run(deployment: "Deployment", target: RetryTarget, progress: Progress) -> Report:
    found = _unchanged(deployment, target)
    return send_again(
        deployment, found.sendable, found.left_out, rate=target.rate, progress=progress
    )


RETRY = Operation[RetryArguments, RetryTarget](
    name="retry",
    aliases=("retry-tasks",),
    summary="Sends ended tasks again, after a preview.",
    risk=Risk.DESTROY,
    arguments=RetryArguments,
    preview=_preview,
    again=_again,
    run=_run,
    target=RetryTarget,
)
