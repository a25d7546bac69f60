"""`ops resume` and `ops abandon`: what becomes of a run that was interrupted, so that nobody knows what it did.

It is never started again by itself. Resuming looks at what is left of its frozen target, shows that, and is confirmed
like any other; abandoning records that nobody will.
"""

from typing import TYPE_CHECKING, Annotated, Any

from msgspec.structs import replace

from knowledge_base_agent.actors import acting_run, who_acts
from knowledge_base_agent.clock import utc_now
from knowledge_base_agent.confirmations import of_run
from knowledge_base_agent.operations.operation import (
    AnyOperation,
    Arguments,
    Operation,
    Preview,
    Progress,
    Risk,
    Target,
    Word,
    given,
)
from knowledge_base_agent.operations.who_wanted import who_wanted
from knowledge_base_agent.operations.words import run_id as read_run_id
from knowledge_base_agent.problems import NotFound, TooLate
from knowledge_base_agent.records.database import reading, writing
from knowledge_base_agent.redaction import plain
from knowledge_base_agent.report import Note, Report, Tone
from knowledge_base_agent.runs import Run, State, read_run, settle_interrupted

if TYPE_CHECKING:
    from knowledge_base_agent.deployment import Deployment

_RESET, _NAME = "reset", "ops resume"


class WhichRun(Arguments):
    """Which run."""

    run: Annotated[
        str,
        Word(
            read=read_run_id,
            help="an interrupted run, as `ops` and its message name it",
            example="op-12",
            positional=True,
        ),
    ]


class ResumeTarget(Target):
    """What is left of an interrupted run, frozen by its own operation."""

    run: str
    operation: str
    target_json: str


def resume_words(run: Run) -> str:
    """Return the words that go on with an interrupted run; empty for a change, which has no target to look at again."""
    if run.operation == _RESET:
        return "reset --resume"
    return f"{_NAME} {run.id}" if run.scope else ""


def _preview(deployment: "Deployment", arguments: WhichRun) -> Preview[ResumeTarget]:
    with reading(deployment.engine) as connection:
        run = read_run(connection, arguments.run)
        _check(run)
        confirmation = of_run(connection, run.id)
    if run.operation == _RESET:
        raise NotFound(
            f"{run.id} is a reset, which keeps a journal of its steps.",
            "`reset --resume` goes on with it, from the step that was not verified.",
        )
    if confirmation is None:
        raise NotFound(
            f"{run.id} (`{plain(run.words, 120)}`) was no preview before it ran, so what is left of it can't be told.",
            f"Look at the figures, ask for it again if need be, and say `ops abandon {run.id}`.",
        )
    if run.operation == _NAME:
        earlier = ResumeTarget.model_validate_json(confirmation.target)
        preview = _looked(deployment, run, earlier.operation, earlier.target_json)
    else:
        preview = _looked(deployment, run, run.operation, confirmation.target)
    # A look at a frozen target does not tell of what is grave in the words, such as every queue.
    if confirmation.why_two and not preview.grave:
        return replace(preview, grave=f"{run.id} needed two people: {confirmation.why_two}")
    return preview


def _again(deployment: "Deployment", target: ResumeTarget) -> Preview[ResumeTarget]:
    with reading(deployment.engine) as connection:
        run = read_run(connection, target.run)
    _check(run)
    return _looked(deployment, run, target.operation, target.target_json)


def _check(run: Run) -> None:
    if run.state is State.STARTED:
        raise TooLate(
            f"{run.id} has not ended, as far as is known.",
            "A run counts as interrupted once its process has been silent for 30 s.",
        )
    if run.state is not State.INTERRUPTED:
        raise NotFound(
            f"{run.id} is not interrupted: it stands as {run.state.value}.", "`ops` lists the runs."
        )


def _looked(
    deployment: "Deployment", run: Run, name: str, target_json: str
) -> Preview[ResumeTarget]:
    operation = _operation(name)
    with reading(deployment.engine) as connection:
        wanted = who_wanted(connection, run)
    target = given(operation.target).model_validate_json(target_json).continuing(run.id)
    try:
        left: Preview[Any] = given(operation.again)(deployment, target)
    except NotFound as problem:
        raise NotFound(
            f"Nothing of {run.id} is left to be done. {problem.what}",
            f"`ops abandon {run.id}` records that nobody will go on with it.",
        ) from problem
    said = (
        f"What is left of {run.id} (`{plain(run.words, 120)}`, {wanted} at "
        f"{run.started_at:%Y-%m-%d %H:%M:%S} UTC), which was interrupted. What it had done until then stays done."
    )
    report = replace(left.report, parts=(Note(text=said, tone=Tone.WARNING), *left.report.parts))
    frozen = left.target.model_dump_json()
    return Preview(
        target=ResumeTarget(run=run.id, operation=name, target_json=frozen),
        report=report,
        scope=left.scope,
        affected=left.affected,
        grave=left.grave,
        leaves=left.leaves,
    )


def _operation(name: str) -> AnyOperation:
    from knowledge_base_agent.operations import operation_named

    return operation_named(name)


def _run(deployment: "Deployment", target: ResumeTarget, progress: Progress) -> Report:
    operation = _operation(target.operation)
    by = f"continued as {acting_run() or 'another run'} by {who_acts()}"
    # Before the first effect: of two that resume the same run, one gets it.
    with writing(deployment.engine) as connection:
        settle_interrupted(connection, target.run, State.RESUMED, by)
    frozen = given(operation.target).model_validate_json(target.target_json)
    report: Report = given(operation.run)(deployment, frozen, progress)
    return report


def _abandon(deployment: "Deployment", arguments: WhichRun, progress: Progress) -> Report:
    with writing(deployment.engine) as connection:
        _check(read_run(connection, arguments.run))
        by = f"abandoned by {who_acts()}"
        run = settle_interrupted(connection, arguments.run, State.ABANDONED, by)
    return Report(
        title=f"{run.id} is abandoned",
        text=f"Nobody will go on with {run.id} (`{plain(run.words, 120)}`). What it did stays done, and stays unknown.",
        tone=Tone.GOOD,
        taken_at=utc_now(),
        data={"abandoned": run.id},
    )


OPS_RESUME = Operation[WhichRun, ResumeTarget](
    name=_NAME,
    summary="Goes on with an interrupted run, after a preview of what is left of it.",
    risk=Risk.DESTROY,
    arguments=WhichRun,
    preview=_preview,
    again=_again,
    run=_run,
    target=ResumeTarget,
)

OPS_ABANDON = Operation[WhichRun, Target](
    name="ops abandon",
    summary="Records that nobody will go on with an interrupted run.",
    risk=Risk.CHANGE,
    arguments=WhichRun,
    answer=_abandon,
)
