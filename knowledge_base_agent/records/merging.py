"""What a task's row becomes when an entry about it arrives, in whatever order entries arrive. Pure.

Entries come from several processes and hosts, so they arrive out of order and with clocks that differ. What decides is,
in this order: the run (`attempt_of`), the stage within the run (`states.RANK`), and only then the time. A late STARTED
therefore never undoes a SUCCESS, and every order of the same entries ends in the same state.
"""

import dataclasses
from typing import Final

from knowledge_base_agent.records.states import FINISHED, RANK, SUCCESS
from knowledge_base_agent.records.stream import Entry

_NESTING_STEP: Final = 10_000_000
_MICROSECONDS_AN_HOUR: Final = 3_600_000_000


@dataclasses.dataclass(slots=True, kw_only=True)
class TaskRow:
    """One row of `tasks` while a batch is applied; times are microseconds since the epoch, UTC."""

    id: str
    name: str = ""
    queue: str | None = None
    state: str = ""
    attempt: int = -1
    retries: int = 0
    redelivered: bool = False
    worker: str | None = None
    process_id: int | None = None
    published_at: int | None = None
    received_at: int | None = None
    started_at: int | None = None
    finished_at: int | None = None
    updated_at: int = 0
    eta: int | None = None
    time_limit: float | None = None
    parent_id: str | None = None
    root_id: str | None = None
    args_repr: str | None = None
    args_shortened: bool = False
    error_class: str | None = None
    error_message: str | None = None
    traceback: str | None = None

    @property
    def finished_hour(self) -> int | None:
        """The hour in which it ended, in microseconds since the epoch; None while it has not."""
        at = self.finished_at
        return None if at is None else at - at % _MICROSECONDS_AN_HOUR


def attempt_of(entry: Entry) -> int:
    """Return what orders the runs of one id: replacements first, then retries, then a redelivery."""
    return entry.nesting * _NESTING_STEP + entry.retries * 2 + entry.redelivered


def apply(row: TaskRow, entry: Entry) -> None:
    """Bring a row up to date with one entry. Applying an entry again changes nothing."""
    attempt = attempt_of(entry)
    _fill(row, entry)
    if attempt < row.attempt:
        return
    if attempt > row.attempt:
        _begin_run(row, attempt, entry)
        wins = True
    else:
        wins = (RANK[entry.state], entry.at) > (RANK[row.state], row.updated_at)
    _note_times(row, entry)
    if wins:
        _take_state(row, entry)
    elif row.worker is None and entry.worker is not None:
        row.worker, row.process_id = entry.worker, entry.process_id


def _begin_run(row: TaskRow, attempt: int, entry: Entry) -> None:
    row.attempt = attempt
    row.retries = entry.retries
    row.worker = row.process_id = row.received_at = row.started_at = row.eta = None


def _fill(row: TaskRow, entry: Entry) -> None:
    """Take what holds for all runs of the task, and is told by some entries only."""
    row.name = row.name or entry.name
    row.queue = row.queue or entry.queue
    row.parent_id = row.parent_id or entry.parent_id
    row.root_id = row.root_id or entry.root_id
    row.redelivered = row.redelivered or entry.redelivered
    if row.time_limit is None:
        row.time_limit = entry.time_limit
    if row.args_repr is None and entry.args_repr is not None:
        row.args_repr, row.args_shortened = entry.args_repr, entry.args_shortened
    if entry.state == "PENDING":
        row.published_at = min(row.published_at or entry.at, entry.at)
    # The error of the run before, told late, is better than none; a success has none.
    if entry.error_class and row.error_class is None and row.state != SUCCESS:
        _take_error(row, entry)


def _note_times(row: TaskRow, entry: Entry) -> None:
    if entry.eta is not None:
        row.eta = entry.eta
    if entry.state == "RECEIVED":
        row.received_at = max(row.received_at or 0, entry.at)
    elif entry.state == "STARTED":
        row.started_at = max(row.started_at or 0, entry.at)


def _take_state(row: TaskRow, entry: Entry) -> None:
    row.state = entry.state
    row.updated_at = entry.at
    row.finished_at = entry.at if entry.state in FINISHED else None
    if entry.worker is not None:
        row.worker, row.process_id = entry.worker, entry.process_id
    if entry.error_message is not None or entry.state == SUCCESS:
        _take_error(row, entry)


def _take_error(row: TaskRow, entry: Entry) -> None:
    row.error_class = entry.error_class
    row.error_message = entry.error_message
    row.traceback = entry.traceback
