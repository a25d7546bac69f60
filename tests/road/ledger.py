"""An operation with a visible effect: each run adds one line to a file that nothing else writes."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from sqlalchemy import select

from knowledge_base_agent.operations.operation import (
    Arguments,
    Operation,
    Preview,
    Progress,
    Risk,
    Target,
    Word,
)
from knowledge_base_agent.operations.words import free_text
from knowledge_base_agent.problems import NotFound
from knowledge_base_agent.records.database import reading
from knowledge_base_agent.records.road_tables import AUDIT, RUNS
from knowledge_base_agent.report import Report

if TYPE_CHECKING:
    from knowledge_base_agent.deployment import Deployment


class LedgerArguments(Arguments):
    """Which file to write to."""

    path: Annotated[str, Word(read=free_text, help="a file", example="/tmp/x", positional=True)]


class LedgerTarget(Target):
    """The file, frozen."""

    path: str


def _preview(deployment: "Deployment", arguments: LedgerArguments) -> Preview[LedgerTarget]:
    report = Report(title="ledger", text=f"would write one line to {Path(arguments.path).name}")
    affected = 0 if arguments.path.endswith("nothing") else 1
    return Preview(target=LedgerTarget(path=arguments.path), report=report, affected=affected)


def _run(deployment: "Deployment", target: LedgerTarget, progress: Progress) -> Report:
    if target.path.endswith("problem"):
        raise NotFound("The file is gone.", "Choose another.")
    if target.path.endswith("defect"):
        raise RuntimeError("a defect with password=hunter2")
    with reading(deployment.engine) as connection:
        started = connection.execute(select(RUNS.c.number).where(RUNS.c.state == "started")).all()
        recorded = connection.execute(select(AUDIT.c.id).where(AUDIT.c.kind == "started")).all()
    with Path(target.path).open("a") as ledger:
        ledger.write(f"written, {len(started)} started, {bool(recorded)}\n")
    progress(1, 1, "written")
    return Report(title="ledger", text="wrote one line")


def _read(deployment: "Deployment", arguments: LedgerArguments, progress: Progress) -> Report:
    return Report(title="ledger", text=Path(arguments.path).read_text())


WRITE = Operation[LedgerArguments, LedgerTarget](
    name="write",
    aliases=("write-ledger",),
    summary="Writes one line.",
    risk=Risk.DESTROY,
    arguments=LedgerArguments,
    preview=_preview,
    run=_run,
    target=LedgerTarget,
)
READ = Operation[LedgerArguments, LedgerTarget](
    name="read",
    summary="Reads the lines.",
    risk=Risk.READ,
    arguments=LedgerArguments,
    answer=_read,
)
CHANGE = Operation[LedgerArguments, LedgerTarget](
    name="change",
    summary="Writes one line at once.",
    risk=Risk.CHANGE,
    arguments=LedgerArguments,
    answer=lambda deployment, arguments, progress: _run(
        deployment, LedgerTarget(path=arguments.path), progress
    ),
)
ALL = (WRITE, READ, CHANGE)
