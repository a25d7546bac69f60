"""`audit`: who did what, the newest first; and `audit export`, which the shell writes to a file."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

from knowledge_base_agent.clock import utc_now
from knowledge_base_agent.fleet.deadline import Deadline
from knowledge_base_agent.operations.audit_filtering import AuditFiltering
from knowledge_base_agent.operations.operation import Operation, Progress, Risk, Target, Word
from knowledge_base_agent.operations.words import free_text
from knowledge_base_agent.problems import Away
from knowledge_base_agent.records.audit_search import (
    AuditFilter,
    how_many_entries,
    newest_entries,
)
from knowledge_base_agent.records.task_search import reading_for
from knowledge_base_agent.redaction import plain
from knowledge_base_agent.report import Action, Column, Report, Row, Table, Tone
from knowledge_base_agent.wording import counted

if TYPE_CHECKING:
    from knowledge_base_agent.deployment import Deployment

SHOWN = 100
_COUNTED = 10_000
_SECONDS = 2.0
_COUNT_SECONDS = 0.7
_COLUMNS = (
    Column(key="at", label="When"),
    Column(key="who", label="Who"),
    Column(key="kind", label="What happened"),
    Column(key="words", label="Words"),
    Column(key="run", label="Run"),
    Column(key="detail", label="What came of it"),
    Column(key="number", label="Entry"),
)
_TONES = {
    "failed": Tone.BAD,
    "interrupted": Tone.BAD,
    "refused": Tone.WARNING,
    "too late": Tone.WARNING,
}
FORMATS = ("jsonl", "csv")


class AuditArguments(AuditFiltering):
    """Which entries; without a word, all of them."""


def one_format(text: str) -> str:
    """Read how an export is written."""
    if text.lower() not in FORMATS:
        raise ValueError("jsonl or csv")
    return text.lower()


class ExportArguments(AuditFiltering):
    """Which entries, how they are written, and where to."""

    format: Annotated[
        str, Word(read=one_format, help="how they are written", example="csv", choices=FORMATS)
    ] = "jsonl"
    output: Annotated[
        str,
        Word(
            read=free_text,
            help="the file to write, replaced when all is in it; without it, standard output",
            example="audit.jsonl",
            value="FILE",
        ),
    ] = ""


def _answer(deployment: "Deployment", arguments: AuditArguments, progress: Progress) -> Report:
    now = utc_now()
    wanted = arguments.chosen(now)
    deadline = Deadline.after(_SECONDS)
    with reading_for(deployment.engine, deadline.remaining()) as connection:
        found = newest_entries(connection, wanted, SHOWN + 1)
    total = len(found) if len(found) <= SHOWN else _counted(deployment, wanted, deadline)
    rows = tuple(_row(one) for one in found[:SHOWN])
    table = Table(caption="Entries", columns=_COLUMNS, rows=rows, total=total)
    verify = Action(label="Verify", words="audit verify")
    return Report(
        title="Audit" if found else "Nothing found",
        text=_sentence(arguments, len(found), total),
        parts=(table,) if rows else (),
        actions=(verify,),
        taken_at=now,
    )


def _counted(deployment: "Deployment", wanted: AuditFilter, deadline: Deadline) -> int | None:
    """Return how many there are; None when there are more than are counted, or than could be in time."""
    try:
        seconds = deadline.at_most(_COUNT_SECONDS).remaining()
        with reading_for(deployment.engine, seconds) as connection:
            number = how_many_entries(connection, wanted, at_most=_COUNTED + 1)
    except Away:
        return None  # the entries were found all the same, and "more than" is said of their number
    return number if number <= _COUNTED else None


def _sentence(arguments: AuditFiltering, found: int, total: int | None) -> str:
    choice = f" {arguments.said()}" if arguments.said() else ""
    if not found:
        return f"The audit has no entries{choice}."
    number = f"More than {SHOWN} entries" if total is None else _entries(total)
    return f"{number}{choice}{', the newest first' if found > SHOWN else ''}."


def _entries(number: int) -> str:
    return counted(number, "entry", "entries")


def _row(one: Mapping[str, Any]) -> Row:
    run = plain(one["run_id"] or "", 32)
    return Row(
        cells=(
            one["at"],
            f"{plain(one['actor_name'], 80)} ({one['surface']})",
            one["kind"],
            plain(one["words"] or one["operation"], 200),
            run,
            plain(one["detail"], 300),
            one["id"],
        ),
        actions=(Action(label=run, words=f"audit --run={run}"),) if run else (),
        tone=_TONES.get(one["kind"], Tone.NEUTRAL),
    )


def _explain(deployment: "Deployment", arguments: ExportArguments, progress: Progress) -> Report:
    wanted = arguments.chosen(utc_now())
    with reading_for(deployment.engine, _SECONDS) as connection:
        number = how_many_entries(connection, wanted, at_most=_COUNTED + 1)
    many = f"More than {_COUNTED:,} entries" if number > _COUNTED else _entries(number)
    return Report(
        title="Audit export",
        text=f"{many} to export. The shell writes them, where the database can be reached: "
        f"`python celery_monitor.py audit export --format {arguments.format} --output audit.{arguments.format}`.",
    )


AUDIT = Operation[AuditArguments, Target](
    name="audit",
    summary="Shows who asked for what and what came of it, by person, operation, run, time or text.",
    risk=Risk.READ,
    arguments=AuditArguments,
    answer=_answer,
)
AUDIT_EXPORT = Operation[ExportArguments, Target](
    name="audit export",
    summary="Writes entries of the audit as JSON lines or CSV; in the shell alone.",
    risk=Risk.READ,
    arguments=ExportArguments,
    answer=_explain,
)
