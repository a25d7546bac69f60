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
    Touched,
    Word,
)
from knowledge_base_agent.operations.words import free_text
from knowledge_base_agent.problems import Away, NotFound
from knowledge_base_agent.records.database import reading
from knowledge_base_agent.records.road_tables import AUDIT, RUNS
from knowledge_base_agent.report import Report
from knowledge_base_agent.scope import Scope

if TYPE_CHECKING:
    from knowledge_base_agent.deployment import Deployment


class LedgerArguments(Arguments):
    """Which file to write to."""

    path: Annotated[str, Word(read=free_text, help="a file", example="/tmp/x", positional=True)]


class LedgerTarget(Target):
    """The file, frozen, and what lies beside it."""

    path: str
    beside: tuple[str, ...] = ()


def beside(path: Path | str) -> Path:
    """Return a file whose lines are what a preview of this ledger shows; where there is none, the ledger alone."""
    return Path(f"{path}.beside")


def unreachable(path: Path | str) -> Path:
    """Return a file that makes the ledger's store unreachable while it is there."""
    return Path(f"{path}.unreachable")


def _preview(deployment: "Deployment", arguments: LedgerArguments) -> Preview[LedgerTarget]:
    return _again(deployment, LedgerTarget(path=arguments.path))


def _again(deployment: "Deployment", target: LedgerTarget) -> Preview[LedgerTarget]:
    if unreachable(target.path).exists():
        raise Away("The shelf does not answer.", "Look at the shelf.", source="the shelf")
    shelf = beside(target.path)
    names = tuple(shelf.read_text().split()) if shelf.exists() else (Path(target.path).name,)
    report = Report(
        title="ledger", text=f"would write one line to {Path(target.path).name}: {', '.join(names)}"
    )
    return Preview(
        target=LedgerTarget(path=target.path, beside=names),
        report=report,
        scope=Scope(names={"thing": frozenset(names)}),
        affected=0 if target.path.endswith("nothing") else len(names),
        grave="it overwrites the ledger" if target.path.endswith("grave") else "",
        touches=Touched(),
    )


def _run(deployment: "Deployment", target: LedgerTarget, progress: Progress) -> Report:
    if target.path.endswith("problem"):
        raise NotFound("The file is gone.", "Choose another.")
    if target.path.endswith("defect"):
        raise RuntimeError("a defect with password=hunter2")
    with reading(deployment.engine) as connection:
        started = connection.execute(select(RUNS.c.number).where(RUNS.c.state == "started")).all()
        recorded = connection.execute(select(AUDIT.c.id).where(AUDIT.c.kind == "started")).all()
    with Path(target.path).open("a") as ledger:
        on = f" on {', '.join(target.beside)}" if beside(target.path).exists() else ""
        ledger.write(f"written{on}, {len(started)} started, {bool(recorded)}\n")
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
    again=_again,
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
