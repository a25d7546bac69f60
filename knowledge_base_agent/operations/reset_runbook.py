"""Carrying out a runbook: each step is journaled before and after, verified, and the first that can't be ends it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from knowledge_base_agent.clock import utc_now
from knowledge_base_agent.fleet.newest import End
from knowledge_base_agent.operations.operation import Progress
from knowledge_base_agent.operations.undoable import UndoableTarget
from knowledge_base_agent.problems import Problem
from knowledge_base_agent.records.database import reading, writing
from knowledge_base_agent.records.journal import JournalStep, StepState, mark, plan, steps_of
from knowledge_base_agent.redaction import plain
from knowledge_base_agent.report import Action, Column, Report, Row, Table, Tone
from knowledge_base_agent.wording import counted

if TYPE_CHECKING:
    from knowledge_base_agent.deployment import Deployment

_COLUMNS = (
    Column(key="position", label="Step"),
    Column(key="name", label="What"),
    Column(key="state", label="State"),
    Column(key="detail", label="What was seen"),
    Column(key="at", label="At"),
)
_TONES = {
    StepState.DONE: Tone.GOOD,
    StepState.UNVERIFIED: Tone.BAD,
    StepState.STARTED: Tone.BAD,
    StepState.PLANNED: Tone.NEUTRAL,
}


class ResetTarget(UndoableTarget):
    """What was agreed to: by name, so that a worker or a queue that nobody saw in the preview ends the run."""

    kind: str
    journal_id: str
    resumed: bool
    nodes: tuple[str, ...]
    queues: tuple[str, ...]
    """Those to empty (complete), or those that nobody consumes (partial)."""
    ends: Mapping[str, tuple[End, ...]] = {}
    """Behind which message of each list nothing was shown (complete); empty where the broker does not tell."""
    task_ids: tuple[str, ...] = ()
    """The stuck tasks (partial)."""
    longer_than: timedelta = timedelta(hours=3)
    """How long a task had to run to count as stuck (partial)."""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What was seen after a step."""

    verified: bool
    detail: str


@dataclass(frozen=True, kw_only=True)
class Step:
    """One step: `does` says it in a preview. `do` may raise a `Problem`, which leaves the step unverified."""

    name: str
    does: str
    do: "Callable[[Deployment, ResetTarget, Progress], Outcome]"


def carry_on(
    deployment: "Deployment", target: ResetTarget, steps: Sequence[Step], progress: Progress
) -> Report:
    """Do the steps that are not done yet, in their order, until one can't be verified. Raises `Away`."""
    by_name = {step.name: step for step in steps}
    if not target.resumed:
        with writing(deployment.engine) as connection:
            plan(connection, target.journal_id, [step.name for step in steps])
    for planned in _journal(deployment, target):
        if planned.state is StepState.DONE:
            continue
        progress(planned.position - 1, len(steps), planned.name)
        _mark(deployment, planned, StepState.STARTED)
        outcome = _outcome(deployment, target, by_name[planned.name], progress)
        ended = StepState.DONE if outcome.verified else StepState.UNVERIFIED
        _mark(deployment, planned, ended, outcome.detail)
        if not outcome.verified:
            break
    return _report(target, _journal(deployment, target))


def _journal(deployment: "Deployment", target: ResetTarget) -> tuple[JournalStep, ...]:
    with reading(deployment.engine) as connection:
        return steps_of(connection, target.journal_id)


def _mark(deployment: "Deployment", step: JournalStep, state: StepState, detail: str = "") -> None:
    with writing(deployment.engine) as connection:
        mark(connection, step.run_id, step.position, state, plain(detail, 1500))


def _outcome(
    deployment: "Deployment", target: ResetTarget, step: Step, progress: Progress
) -> Outcome:
    def told(done: int, total: int | None, note: str = "") -> None:
        progress(done, total, f"{step.name}: {note}")

    try:
        return step.do(deployment, target, told)
    except Problem as problem:
        return Outcome(verified=False, detail=str(problem))


def journal_table(steps: Sequence[JournalStep]) -> Table:
    """Return the journal of one run."""
    rows = tuple(
        Row(
            cells=(
                one.position,
                one.name,
                one.state.value,
                plain(one.detail, 400),
                "" if one.state is StepState.PLANNED else one.at,
            ),
            tone=_TONES[one.state],
        )
        for one in steps
    )
    return Table(caption="Journal", columns=_COLUMNS, rows=rows, total=len(rows))


def _report(target: ResetTarget, steps: Sequence[JournalStep]) -> Report:
    done = [one.name for one in steps if one.state is StepState.DONE]
    stopped = next((one for one in steps if one.state is not StepState.DONE), None)
    data = {
        "journal": target.journal_id,
        "steps": {one.name: one.state.value for one in steps},
    }
    if stopped is None:
        last = "Start the workers again." if target.kind == "complete" else "Look with `stats`."
        return Report(
            title=f"The {target.kind} reset is done",
            text=f"All {counted(len(steps), 'step')} were done and verified. {last}",
            parts=(journal_table(steps),),
            tone=Tone.GOOD,
            taken_at=utc_now(),
            data=data,
        )
    later = ", ".join(one.name for one in steps[stopped.position :])
    return Report(
        title=f"The {target.kind} reset stopped at step {stopped.position} of {len(steps)}: {stopped.name}",
        text=f"Not verified: {stopped.name}: {plain(stopped.detail, 500)} "
        f"Done: {', '.join(done) or 'nothing'}. Not begun: {later or 'nothing'}. "
        "`reset --resume` looks again and goes on from there.",
        parts=(journal_table(steps),),
        tone=Tone.BAD,
        actions=(Action(label="Go on", words="reset --resume", danger=True),),
        taken_at=utc_now(),
        succeeded=False,
        data=data,
    )
