"""What each source says of one task, side by side, and where they contradict each other."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from knowledge_base_agent.clock import utc_now
from knowledge_base_agent.fleet.connections import LOGS, PROGRESS, RESULTS
from knowledge_base_agent.fleet.deadline import Deadline, Unknown, gather
from knowledge_base_agent.fleet.views import Place
from knowledge_base_agent.fleet.whereabouts import Whereabouts
from knowledge_base_agent.operations.finishing import may_be_finishing
from knowledge_base_agent.operations.purged_tasks import purged_by
from knowledge_base_agent.operations.stored_results import StoredResult, read_results
from knowledge_base_agent.operations.stuckness import SETTLING
from knowledge_base_agent.problems import Away
from knowledge_base_agent.records.states import FINISHED, PENDING, RUNNING
from knowledge_base_agent.records.task_history import TaskRecord, rows_by_ids
from knowledge_base_agent.records.task_logs import LogLine, read_logs
from knowledge_base_agent.records.task_progress import Progress, read_progress
from knowledge_base_agent.records.task_retries import retried_as, retry_of
from knowledge_base_agent.records.task_search import children, reading_for

if TYPE_CHECKING:
    from knowledge_base_agent.deployment import Deployment

_SECONDS = 2.2
_ROW_SECONDS = 1.0
_CHILDREN_SECONDS = 0.8
_LOOK_SECONDS = 1.8
LAST_LINES = 10
MOST_CHILDREN = 20
DATABASE = "the database"
MAILBOXES = "the mailboxes"
WORKERS = "the workers and queues"


@dataclass(frozen=True, kw_only=True)
class Accounts:
    """What was said of one task. `Unknown` stands where a source did not answer; None where it has nothing."""

    id: str
    taken_at: datetime
    row: TaskRecord | Unknown | None
    children: list[TaskRecord] | Unknown
    retried_as: str | None
    retry_of: str | None
    result: StoredResult | Unknown
    places: Whereabouts | Unknown
    mailboxes: frozenset[str] | None
    """Of the workers, the killed ones included; None where that is not known."""
    progress: Progress | Unknown | None
    lines: list[LogLine] | Unknown
    purged: str = ""
    """Which purge took its message, in a sentence, where it waits by its row and is nowhere, and that is known."""

    @property
    def record(self) -> TaskRecord | None:
        """The row, where there is one that could be read."""
        return None if isinstance(self.row, Unknown) else self.row

    @property
    def held(self) -> bool:
        """Whether a worker was seen to have it."""
        return not isinstance(self.places, Unknown) and bool(self.places.held)

    @property
    def running(self) -> bool:
        """Whether a worker was seen to run it."""
        if isinstance(self.places, Unknown):
            return False
        return any(task.place is Place.ACTIVE for task in self.places.held)

    @property
    def known(self) -> bool:
        """Whether anything at all was found of it."""
        queued = not isinstance(self.places, Unknown) and bool(self.places.pending)
        stored = isinstance(self.result, StoredResult) and self.result.state is not None
        told = isinstance(self.progress, Progress) or (
            isinstance(self.lines, list) and bool(self.lines)
        )
        return self.record is not None or self.held or queued or stored or told

    @property
    def unknowns(self) -> tuple[str, ...]:
        """Why something is not known, a sentence a source."""
        parts = (self.row, self.result, self.places, self.progress, self.lines)
        return tuple(dict.fromkeys(one.reason for one in parts if isinstance(one, Unknown)))


def hear(deployment: "Deployment", task_id: str, *, arguments: bool = False) -> Accounts:
    """Ask every source at once; one that is away delays no other. `arguments` brings a worker's: privileged."""
    now, deadline = utc_now(), Deadline.after(_SECONDS)
    calls: dict[str, Callable[[], Any]] = {
        DATABASE: lambda: _rows(deployment, task_id),
        RESULTS: lambda: read_results(deployment, deadline, [task_id])[task_id],
        WORKERS: lambda: _places(deployment, deadline, task_id, arguments=arguments),
        MAILBOXES: lambda: deployment.fleet.mailboxes(deadline.at_most(_LOOK_SECONDS)),
        PROGRESS: lambda: read_progress(deployment.progress_redis, [task_id]).get(task_id),
        LOGS: lambda: read_logs(deployment.logs_redis, task_id, last=LAST_LINES),
    }
    said = gather(deadline, calls)
    rows, mailboxes = said[DATABASE], said[MAILBOXES]
    row = rows if isinstance(rows, Unknown) else rows.row
    return Accounts(
        id=task_id,
        taken_at=now,
        row=row,
        children=rows if isinstance(rows, Unknown) else rows.children,
        retried_as=None if isinstance(rows, Unknown) else rows.retried_as,
        retry_of=None if isinstance(rows, Unknown) else rows.retry_of,
        result=said[RESULTS],
        places=said[WORKERS],
        mailboxes=None if isinstance(mailboxes, Unknown) else mailboxes,
        progress=said[PROGRESS],
        lines=said[LOGS],
        purged=purged_by(deployment, task_id) if _gone(row, said[WORKERS]) else "",
    )


def _gone(row: TaskRecord | Unknown | None, places: Whereabouts | Unknown) -> bool:
    if not isinstance(row, TaskRecord) or not isinstance(places, Whereabouts):
        return False
    return row.state == PENDING and row.id in places.nowhere


def _places(
    deployment: "Deployment", deadline: Deadline, task_id: str, *, arguments: bool
) -> Whereabouts:
    inner = deadline.at_most(_LOOK_SECONDS)
    return deployment.fleet.locate(inner, [task_id], arguments=arguments)


@dataclass(frozen=True, kw_only=True)
class _Rows:
    row: TaskRecord | None
    children: list[TaskRecord] | Unknown
    retried_as: str | None
    retry_of: str | None


def _rows(deployment: "Deployment", task_id: str) -> _Rows:
    with reading_for(deployment.engine, _ROW_SECONDS) as connection:
        row = rows_by_ids(connection, [task_id]).get(task_id)
        again = retried_as(connection, [task_id]).get(task_id)
        before = retry_of(connection, task_id)
    found = _children(deployment, row) if row is not None else []
    return _Rows(row=row, children=found, retried_as=again, retry_of=before)


def _children(deployment: "Deployment", row: TaskRecord) -> list[TaskRecord] | Unknown:
    try:
        with reading_for(deployment.engine, _CHILDREN_SECONDS) as connection:
            return children(connection, row, limit=MOST_CHILDREN + 1)
    except Away as problem:
        return Unknown(reason=problem.what)


def disagreements(accounts: Accounts) -> Iterator[str]:
    """Yield a sentence for each contradiction between the sources, with what it means."""
    row, places = accounts.record, accounts.places
    if row is None:
        if not isinstance(accounts.row, Unknown) and accounts.known:
            yield "There is no row of it: its app is not tracked, the recorder is behind, or the row was cleared."
        return
    if not isinstance(places, Unknown):
        yield from _with_the_fleet(row, places, accounts)
    result = accounts.result
    if isinstance(result, StoredResult) and result.state not in (None, row.state):
        ended = row.state in FINISHED or result.state in FINISHED
        if ended and accounts.taken_at - row.updated_at > SETTLING:
            yield (
                f"The row says {row.state}, the result backend {result.state}: the row is as old as the recorder's "
                "last entry."
            )


def _with_the_fleet(row: TaskRecord, places: Whereabouts, accounts: Accounts) -> Iterator[str]:
    settled = accounts.taken_at - row.updated_at > SETTLING
    if row.state in FINISHED and places.held:
        held = places.held[0]
        yield f"The row says {row.state}, and yet {held.worker} has it: it was given out again, or outlives its revoke."
    if row.state in FINISHED and places.pending and not places.held:
        yield f"The row says {row.state}, and yet its message waits in {places.pending[0].queue}: it will run again."
    if places.nowhere and may_be_finishing(
        row, places.fleet, accounts.mailboxes, accounts.taken_at
    ):
        yield f"{row.worker} was shut down and hears nobody: it may still be finishing this, or have lost it."
    elif places.nowhere and settled and row.state in RUNNING:
        yield "The row says that it runs, and no worker has it: it is orphaned. Its worker is gone, and the row stayed."
    elif accounts.purged:
        yield accounts.purged
    elif places.nowhere and settled and row.state == PENDING:
        yield (
            "The row says that it waits, and no queue has it: it was purged, lost, or taken by a worker of another app."
        )
    elif places.nowhere and settled and row.state not in FINISHED:
        yield f"The row says {row.state}, and neither a worker nor a queue has it."
