"""`find`: the tasks that a filter chooses, the newest first."""

import re
from typing import TYPE_CHECKING

from knowledge_base_agent.clock import utc_now
from knowledge_base_agent.fleet.deadline import Deadline
from knowledge_base_agent.operations.filtering import Filtering
from knowledge_base_agent.operations.history_figures import recorder_notes
from knowledge_base_agent.operations.operation import Operation, Progress, Risk, Target
from knowledge_base_agent.problems import Away
from knowledge_base_agent.records.recorder_state import RecorderState, read_recorder_state
from knowledge_base_agent.records.states import (
    FAILURE,
    FINISHED,
    REJECTED,
    REVOKED,
    RUNNING,
    SUCCESS,
)
from knowledge_base_agent.records.task_filter import TaskFilter
from knowledge_base_agent.records.task_history import TaskRecord, counts
from knowledge_base_agent.records.task_search import how_many, newest, reading_for
from knowledge_base_agent.redaction import plain
from knowledge_base_agent.report import Action, Column, Note, Part, Report, Row, Table, Tone
from knowledge_base_agent.wording import counted

if TYPE_CHECKING:
    from knowledge_base_agent.deployment import Deployment

SHOWN = 100
_COUNTED = 10_000
_SECONDS = 2.0
_COUNT_SECONDS = 0.7
COLUMNS = (
    Column(key="name", label="Task"),
    Column(key="state", label="State"),
    Column(key="updated_at", label="Since"),
    Column(key="worker", label="Worker"),
    Column(key="queue", label="Queue"),
    Column(key="error", label="Error"),
    Column(key="id", label="Id"),
)
_UUID_LIKE = re.compile(r"[0-9A-Fa-f]{1,8}|[0-9A-Fa-f]{8}-[0-9A-Fa-f-]*")
_DIGITS = 8
"""Of a UUID, which tell one task from another in all but huge histories, and are all that many a screen shows."""
_TONES = {FAILURE: Tone.BAD, REJECTED: Tone.BAD, REVOKED: Tone.WARNING}


class FindArguments(Filtering):
    """Which tasks; without a word, all of them."""


def _answer(deployment: "Deployment", arguments: FindArguments, progress: Progress) -> Report:
    now = utc_now()
    wanted = arguments.chosen(now)
    deadline = Deadline.after(_SECONDS)
    with reading_for(deployment.engine, deadline.remaining()) as connection:
        found = newest(connection, wanted, limit=SHOWN + 1)
        recorder = read_recorder_state(connection)
    total = _total(deployment, wanted, found, deadline)
    return Report(
        title="Found tasks" if found else "Nothing found",
        text=_sentence(arguments, found, total),
        parts=tuple(_parts(found, total, recorder)),
        taken_at=now,
    )


def _total(
    deployment: "Deployment", wanted: TaskFilter, found: list[TaskRecord], deadline: Deadline
) -> int | None:
    """Return how many there are; None when there are more than could be counted in time."""
    if len(found) <= SHOWN:
        return len(found)
    try:
        seconds = deadline.at_most(_COUNT_SECONDS).remaining()
        with reading_for(deployment.engine, seconds) as connection:
            if wanted.empty:
                return sum(counts(connection).values())
            number = how_many(connection, wanted, at_most=_COUNTED + 1)
    except Away:
        return None  # the rows were found all the same, and "more than" is said of their number
    return number if number <= _COUNTED else None


def _sentence(arguments: Filtering, found: list[TaskRecord], total: int | None) -> str:
    said = arguments.said()
    choice = f" {said}" if said else ""
    if not found:
        return f"The rows know no tasks{choice}."
    number = f"More than {SHOWN} tasks" if total is None else counted(total, "task")
    shown = ", the newest first" if len(found) > SHOWN else ""
    return f"{number}{choice}{shown}."


def _parts(
    found: list[TaskRecord], total: int | None, recorder: RecorderState | None
) -> list[Part]:
    rows = tuple(task_row(one) for one in found[:SHOWN])
    parts: list[Part] = []
    if rows:
        parts.append(Table(caption="Tasks", columns=COLUMNS, rows=rows, total=total))
    if found and total is None:
        parts.append(Note(text="How many there are in all was not counted: narrow it to know."))
    return [*parts, *recorder_notes(recorder, utc_now())]


def task_row(one: TaskRecord) -> Row:
    """Return a task as a line of a table with `COLUMNS`."""
    return Row(
        cells=(
            plain(one.name, 120),
            one.state,
            one.updated_at,
            plain(one.worker, 80) if one.worker else "",
            plain(one.queue, 80) if one.queue else "",
            error_of(one),
            plain(one.id, 128),
        ),
        tone=_TONES.get(one.state, Tone.NEUTRAL),
        actions=actions_for(one),
    )


def error_of(one: TaskRecord) -> str:
    """Return a task's error on one line, or nothing."""
    parts = (plain(one.error_class or "", 60), plain(one.error_message or "", 160))
    return ": ".join(part for part in parts if part)


def actions_for(one: TaskRecord) -> tuple[Action, ...]:
    """Return the buttons that fit a task in this state."""
    logs = Action(label="Logs", words=f"logs {one.id}")
    if one.state in FINISHED:
        again = Action(label="Retry", words=f"retry {one.id}", danger=True)
        return (logs,) if one.state == SUCCESS else (logs, again)
    ends = f"revoke {one.id} --terminate" if one.state in RUNNING else f"revoke {one.id}"
    return (logs, Action(label="Revoke", words=ends, danger=True))


def line_for_nearly(id_: str) -> str:
    """Return the line that finds tasks of nearly this id: one cut short, typed off a screen, or in capital letters."""
    return f"find --id {id_[:_DIGITS].lower() if _UUID_LIKE.fullmatch(id_) else id_}"


FIND = Operation[FindArguments, Target](
    name="find",
    summary="Finds tasks by id, name, state, queue, worker, argument, error or time.",
    risk=Risk.READ,
    arguments=FindArguments,
    answer=_answer,
)
