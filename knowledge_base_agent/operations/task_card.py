"""The card of one task: what its sources say, as parts of a report."""

from collections.abc import Iterator
from datetime import datetime

from knowledge_base_agent.fleet.deadline import Unknown
from knowledge_base_agent.operations.active import told
from knowledge_base_agent.operations.find import COLUMNS, error_of, task_row
from knowledge_base_agent.operations.headcount import headcount, headcount_notes
from knowledge_base_agent.operations.task_accounts import MOST_CHILDREN, Accounts
from knowledge_base_agent.records.states import FAILURE
from knowledge_base_agent.records.task_history import TaskRecord
from knowledge_base_agent.redaction import plain
from knowledge_base_agent.report import (
    Column,
    Fact,
    Facts,
    Note,
    Part,
    Preformatted,
    Row,
    Table,
    Tone,
)
from knowledge_base_agent.wording import worded

_TRACEBACK_CHARACTERS = 2_000
_SOURCES = (Column(key="source", label="Asked"), Column(key="says", label="Says"))


def card_parts(accounts: Accounts, contradictions: tuple[str, ...]) -> Iterator[Part]:
    """Yield the parts of the card, what the sources say first."""
    rows = tuple(Row(cells=line) for line in said_by_each(accounts))
    yield Table(caption="What each says", columns=_SOURCES, rows=rows, total=len(rows))
    for text in contradictions:
        yield Note(text=plain(text, 300), tone=Tone.WARNING)
    for reason in accounts.unknowns:
        yield Note(text=plain(reason, 300), tone=Tone.WARNING)
    if not isinstance(accounts.places, Unknown):
        yield from headcount_notes(accounts.places.fleet)
    if accounts.record is not None:
        yield Facts(title="From its row", items=tuple(_facts(accounts.record)))
        yield from _links(accounts)
        yield from _trace(accounts.record)
    yield from _lines(accounts)
    yield from _children(accounts)


def said_by_each(accounts: Accounts) -> Iterator[tuple[str, str | None]]:
    """Yield each source and what it says in a few words; None where it did not answer."""
    row, result, places = accounts.row, accounts.result, accounts.places
    if isinstance(row, Unknown):
        yield "the database", None
    elif row is None:
        yield "the database", "no row"
    else:
        yield "the database", f"{row.state} since {worded(row.updated_at)}"
    if isinstance(result, Unknown):
        yield "the result backend", None
    else:
        yield "the result backend", result.state or f"unknown: {result.why_unknown}"
    if isinstance(places, Unknown):
        yield "the workers", None
        yield "the queues", None
        return
    held = "; ".join(f"{task.place} on {plain(task.worker, 80)}" for task in places.held)
    yield "the workers", held or f"none that answered has it ({headcount(places.fleet)})"
    yield "the queues", _queued(accounts)


def _queued(accounts: Accounts) -> str:
    if isinstance(accounts.places, Unknown) or accounts.places.search is None:
        return "not looked through: a worker has it"
    search = accounts.places.search
    if search.found:
        return "; ".join(f"{plain(one.queue, 80)} ({one.waits})" for one in search.found)
    if search.complete:
        return f"in none of the {search.scanned:,} messages"
    return f"unknown: {plain(search.why_incomplete or 'not everything was read', 200)}"


def _facts(row: TaskRecord) -> Iterator[Fact]:
    yield Fact(label="Name", value=plain(row.name, 120))
    yield Fact(label="Queue", value=plain(row.queue, 80) if row.queue else None)
    if row.worker:
        process = f", process {row.process_id}" if row.process_id else ""
        yield Fact(label="Worker", value=plain(row.worker, 80) + process)
    yield from (Fact(label=label, value=at) for label, at in _times(row).items() if at is not None)
    yield Fact(label="Retries", value=row.retries)
    if row.redelivered:
        yield Fact(label="Redelivered", value="yes", why="it may have run more than once")
    if row.args_repr:
        why = "shortened, secrets hidden" if row.args_shortened else "secrets hidden"
        yield Fact(label="Arguments", value=plain(row.args_repr, 800), why=why)
    relatives = {"Parent": row.parent_id, "Root": row.root_id}
    for label, one in relatives.items():
        if one and one != row.id:
            yield Fact(label=label, value=one)


def _times(row: TaskRecord) -> dict[str, datetime | None]:
    return {
        "Published": row.published_at,
        "Received": row.received_at,
        "Started": row.started_at,
        "Finished": row.finished_at,
        "Not before": row.eta,
    }


def _links(accounts: Accounts) -> Iterator[Part]:
    if accounts.retry_of:
        yield Note(text=f"It is {accounts.retry_of}, sent again.")
    if accounts.retried_as:
        yield Note(text=f"It was sent again, as {accounts.retried_as}.")


def _trace(row: TaskRecord) -> Iterator[Part]:
    if row.error_class or row.error_message:
        yield Note(text=error_of(row), tone=Tone.BAD if row.state == FAILURE else Tone.WARNING)
    if row.traceback:
        cut = row.traceback[-_TRACEBACK_CHARACTERS:]
        title = "Traceback" if len(cut) == len(row.traceback) else "Traceback, its end"
        yield Preformatted(title=title, text=cut)


def _lines(accounts: Accounts) -> Iterator[Part]:
    if accounts.progress is not None and not isinstance(accounts.progress, Unknown):
        at = accounts.progress.updated_at
        when = f" (told {worded(at)})" if at else ""
        yield Note(text=f"Progress: {told(accounts.progress) or 'nothing said'}{when}")
    if isinstance(accounts.lines, list) and accounts.lines:
        text = "\n".join(
            f"{line.at:%H:%M:%S} {line.level:<7} {plain(line.text, 300)}"
            if line.at
            else plain(line.text, 300)
            for line in accounts.lines
        )
        yield Preformatted(title="Last log lines", text=text)


def _children(accounts: Accounts) -> Iterator[Part]:
    if isinstance(accounts.children, Unknown):
        if not isinstance(accounts.row, Unknown):
            why = plain(accounts.children.reason, 200)
            yield Note(text=f"What it started is unknown: {why}", tone=Tone.WARNING)
        return
    if accounts.children:
        shown = accounts.children[:MOST_CHILDREN]
        total = len(shown) if len(shown) == len(accounts.children) else None
        rows = tuple(task_row(one) for one in shown)
        yield Table(caption="Tasks it started", columns=COLUMNS, rows=rows, total=total)
