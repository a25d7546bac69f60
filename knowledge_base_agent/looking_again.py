"""At the click: what would the frozen target touch now, and is it what the person saw?

Equal: it runs. Something is missing because it ended by itself: it runs on what is left, and the report says so.
Something is there that was not shown: nothing runs, and a new preview takes the place of the old one.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Final

from msgspec import Struct
from msgspec.structs import replace

from knowledge_base_agent.confirmations import Confirmation
from knowledge_base_agent.deployment import Deployment
from knowledge_base_agent.fleet.deadline import Deadline, within
from knowledge_base_agent.operations.operation import AnyOperation, Preview, given
from knowledge_base_agent.outages import told
from knowledge_base_agent.problems import Away, NotFound, Refused
from knowledge_base_agent.report import Note, Report, Tone
from knowledge_base_agent.scope import Difference, Scope, difference

SECONDS: Final = 15.0
"""How long the look before the run may take. Each operation's own look ends sooner, unless a store hangs."""
_LOOK = "the look at what would be touched"


class Seen(Struct, frozen=True, kw_only=True):
    """What is there now. `preview` is None where nothing is left, and `report` says so."""

    preview: Preview[Any] | None
    report: Report
    difference: Difference

    @property
    def to_run(self) -> bool:
        """Whether it may run: all of it was shown, and something is left of it."""
        return self.preview is not None and not self.difference.came

    @property
    def said(self) -> str:
        """Say what has changed."""
        if self.preview is None:
            return f"Nothing of what was shown is left to be touched. {self.report.text}"
        return f"This has changed since you looked: {'; '.join(self.difference.came)}. Nothing was done."


def look_again(deployment: Deployment, operation: AnyOperation, found: Confirmation) -> Seen:
    """Hold what is there now against what a confirmation has shown.

    Raises `Away` when that can't be told in time, and `Refused`: then nothing may run, and the preview stays.
    """
    target = given(operation.target).model_validate_json(found.target)
    look = partial(given(operation.again), deployment, target)
    try:
        preview = _looked(look)
    except NotFound as problem:
        return _nothing_left(Report(title="Nothing is left", text=str(problem), tone=Tone.WARNING))
    except Away as problem:
        explained = told(problem, deployment.sightings, deployment.settings)
        raise _untold(explained.what, explained.cure, found) from problem
    except Refused as problem:
        raise Refused(f"{problem.what} So it was not run.", problem.cure) from problem
    if preview.affected == 0:
        return _nothing_left(preview.report)
    shown = Scope.model_validate_json(found.scope)
    still = preview.scope.flows == shown.flows and not preview.scope.fresh
    if preview.scope.fingerprint == found.fingerprint and still:
        return Seen(preview=preview, report=preview.report, difference=Difference())
    changed = difference(shown, preview.scope)
    if changed.unknown:
        what = f"How many {', '.join(changed.unknown)} there are can't be told now, and it could when this was shown."
        raise _untold(what, "Look with `stats`, then confirm again.", found)
    return Seen(preview=preview, report=preview.report, difference=changed)


def _looked(look: Callable[[], Preview[Any]]) -> Preview[Any]:
    return within(Deadline.after(SECONDS), look, source=_LOOK)


def _nothing_left(report: Report) -> Seen:
    return Seen(preview=None, report=report, difference=Difference())


def _untold(what: str, cure: str, found: Confirmation) -> Away:
    return Away(
        f"{what} So it was not run: what it would touch now has to be looked at first.",
        f"{cure} The preview stays, and can be confirmed until {found.expires_at:%H:%M} UTC.",
    )


def with_missing(report: Report, went: Sequence[str]) -> Report:
    """Return the report of a run, with what was shown and was gone before it."""
    if not went:
        return report
    text = f"Of what was shown, this was gone before it ran: {'; '.join(went)}."
    return replace(report, parts=(*report.parts, Note(text=text)))
