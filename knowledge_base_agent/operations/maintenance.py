"""`maintenance`: the guide's daily, weekly and monthly rounds, each one preview and one confirmation."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, Annotated, Self

from knowledge_base_agent.clock import utc_now
from knowledge_base_agent.operations.clear import CLEAR, ClearArguments
from knowledge_base_agent.operations.flush import FLUSH, FlushArguments
from knowledge_base_agent.operations.operation import (
    AnyOperation,
    Arguments,
    Operation,
    Preview,
    Progress,
    Risk,
    Target,
    Touched,
    Word,
    given,
)
from knowledge_base_agent.operations.stuck import STUCK, StuckArguments
from knowledge_base_agent.problems import Problem
from knowledge_base_agent.records.states import SUCCESS
from knowledge_base_agent.report import Note, Part, Report, Tone
from knowledge_base_agent.scope import Scope

if TYPE_CHECKING:
    from knowledge_base_agent.deployment import Deployment

DAILY, WEEKLY, MONTHLY = "daily", "weekly", "monthly"
ROUNDS = (DAILY, WEEKLY, MONTHLY)
WEEK, MONTH = timedelta(hours=168), timedelta(hours=720)


def _round(text: str) -> str:
    found = text.lower()
    if found not in ROUNDS:
        raise ValueError("one of " + ", ".join(ROUNDS))
    return found


class MaintenanceArguments(Arguments):
    """Which round."""

    which: Annotated[
        str,
        Word(
            read=_round,
            help="daily looks for stuck tasks, weekly clears SUCCESS older than 168 h, monthly clears all that is "
            "older than 720 h and flushes",
            example=WEEKLY,
            positional=True,
            choices=ROUNDS,
        ),
    ]


class MaintenancePart(Target):
    """One operation of a round, with its own frozen target."""

    operation: str
    target_json: str

    def frozen(self) -> Target:
        """Return the target that its own operation has frozen."""
        model: type[Target] = given(_RUNNABLE[self.operation].target)
        return model.model_validate_json(self.target_json)

    def continuing(self, run: str) -> Self:
        """Go on with what this part of such a run has begun."""
        target = self.frozen().continuing(run)
        return self.model_copy(update={"target_json": target.model_dump_json()})


class MaintenanceTarget(Target):
    """What a round will do, in this order."""

    which: str
    steps: tuple[MaintenancePart, ...]

    def continuing(self, run: str) -> Self:
        """Go on with each part of such a run."""
        steps = tuple(one.continuing(run) for one in self.steps)
        return self.model_copy(update={"steps": steps})


@dataclass(frozen=True, kw_only=True)
class _Step:
    operation: AnyOperation
    arguments: Arguments


_STEPS: dict[str, tuple[_Step, ...]] = {
    DAILY: (),
    WEEKLY: (_Step(operation=CLEAR, arguments=ClearArguments(older_than=WEEK, status=(SUCCESS,))),),
    MONTHLY: (
        _Step(operation=CLEAR, arguments=ClearArguments(older_than=MONTH)),
        _Step(operation=FLUSH, arguments=FlushArguments()),
    ),
}
_RUNNABLE: dict[str, AnyOperation] = {one.name: one for one in (CLEAR, FLUSH)}


def _preview(
    deployment: "Deployment", arguments: MaintenanceArguments
) -> Preview[MaintenanceTarget]:
    if arguments.which == DAILY:
        return _looked(deployment)
    previews, left_out = _previews(deployment, arguments.which)
    return _round_of(arguments.which, previews, left_out)


def _again(deployment: "Deployment", target: MaintenanceTarget) -> Preview[MaintenanceTarget]:
    """Look at each part again; what can't be looked at is not done, so that the `Problem` ends this."""
    previews: list[tuple[AnyOperation, Preview[Target]]] = []
    for part in target.steps:
        operation = _RUNNABLE[part.operation]
        previews.append((operation, given(operation.again)(deployment, part.frozen())))
    return _round_of(target.which, previews, [])


def _round_of(
    which: str, previews: list[tuple[AnyOperation, Preview[Target]]], left_out: list[Note]
) -> Preview[MaintenanceTarget]:
    steps = tuple(
        MaintenancePart(operation=operation.name, target_json=preview.target.model_dump_json())
        for operation, preview in previews
        if preview.affected != 0
    )
    counts = [preview.affected for _, preview in previews]
    known = None if None in counts else sum(one or 0 for one in counts)
    reports = [(operation.name, preview.report) for operation, preview in previews]
    return Preview(
        target=MaintenanceTarget(which=which, steps=steps),
        report=_previewed(which, reports, left_out, nothing=not steps),
        scope=_scope(previews),
        affected=known if steps else 0,
        grave="; ".join(preview.grave for _, preview in previews if preview.grave),
        touches=reduce(or_, (preview.touches for _, preview in previews), Touched()),
    )


def _scope(previews: list[tuple[AnyOperation, Preview[Target]]]) -> Scope:
    scope = Scope()
    for operation, preview in previews:
        if preview.affected != 0:
            scope |= preview.scope.under(operation.name)
    return scope


def _previews(
    deployment: "Deployment", which: str
) -> tuple[list[tuple[AnyOperation, Preview[Target]]], list[Note]]:
    """Return each part's preview, and what keeps others from being done. Raises `Problem` where nothing is left."""
    previews: list[tuple[AnyOperation, Preview[Target]]] = []
    left_out: list[Note] = []
    for step in _STEPS[which]:
        preview = given(step.operation.preview)
        try:
            previews.append((step.operation, preview(deployment, step.arguments)))
        except Problem as problem:
            # What is wrong with one part is said, and keeps no other from being done.
            text = f"{step.operation.name} is left out. {problem}"
            left_out.append(Note(text=text, tone=Tone.BAD))
    if left_out and not previews:
        raise Problem(left_out[0].text, "Mend that, and ask again.")
    return previews, left_out


def _looked(deployment: "Deployment") -> Preview[MaintenanceTarget]:
    """The daily round changes nothing, so there is nothing to confirm."""
    report = given(STUCK.answer)(deployment, StuckArguments(), _nowhere)
    return Preview(
        target=MaintenanceTarget(which=DAILY, steps=()),
        report=report,
        scope=Scope(),
        affected=0,
        only_shown=True,
    )


def _nowhere(done: int, total: int | None, note: str = "") -> None:
    """Take progress of what is over at once."""


def _previewed(
    which: str, reports: list[tuple[str, Report]], left_out: list[Note], *, nothing: bool
) -> Report:
    said = " ".join(report.text for _, report in reports)
    return Report(
        title=f"The {which} round: nothing to do" if nothing else f"Do the {which} round?",
        text=said,
        parts=(*left_out, *_sections(reports)),
        tone=Tone.BAD if left_out else Tone.NEUTRAL if nothing else Tone.WARNING,
        taken_at=utc_now(),
    )


def _sections(reports: list[tuple[str, Report]]) -> Iterator[Part]:
    for name, report in reports:
        yield Note(text=f"{name}: {report.text}", tone=report.tone)
        yield from report.parts


def _run(deployment: "Deployment", target: MaintenanceTarget, progress: Progress) -> Report:
    reports = [(part.operation, _one(deployment, part, progress)) for part in target.steps]
    failed = [name for name, report in reports if not report.succeeded]
    return Report(
        title=f"The {target.which} round is done"
        if not failed
        else f"The {target.which} round: not all",
        text=" ".join(f"{name}: {report.text}" for name, report in reports),
        parts=tuple(_sections(reports)),
        tone=Tone.BAD if failed else Tone.GOOD,
        taken_at=utc_now(),
        succeeded=not failed,
        data={"parts": {name: dict(report.data) for name, report in reports}},
    )


def _one(deployment: "Deployment", part: MaintenancePart, progress: Progress) -> Report:
    operation = _RUNNABLE[part.operation]

    def told(done: int, total: int | None, note: str = "") -> None:
        progress(done, total, f"{note} ({operation.name})")

    try:
        report: Report = given(operation.run)(deployment, part.frozen(), told)
    except Problem as problem:
        # The parts do not hang on one another: the next is done all the same, and this one is reported as failed.
        return Report(
            title=f"{operation.name} failed", text=str(problem), tone=Tone.BAD, succeeded=False
        )
    return report


MAINTENANCE = Operation[MaintenanceArguments, MaintenanceTarget](
    name="maintenance",
    summary="Does a daily, weekly or monthly round of looking and clearing, after one preview.",
    risk=Risk.DESTROY,
    arguments=MaintenanceArguments,
    preview=_preview,
    again=_again,
    run=_run,
    target=MaintenanceTarget,
)
