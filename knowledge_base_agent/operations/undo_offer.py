"""The button that takes a run back, and until when: added to the report of whatever run has put something aside."""

from typing import TYPE_CHECKING

from msgspec.structs import replace

from knowledge_base_agent.clock import utc_now
from knowledge_base_agent.problems import Away
from knowledge_base_agent.records.database import reading
from knowledge_base_agent.records.keepsakes import bringable, keepsakes_of
from knowledge_base_agent.report import Action, Note, Report, Tone
from knowledge_base_agent.wording import size

if TYPE_CHECKING:
    from knowledge_base_agent.deployment import Deployment


def with_undo(deployment: "Deployment", run_id: str, report: Report) -> Report:
    """Return the report of a run with its Undo button, where there is anything to bring back. Never raises `Away`."""
    try:
        with reading(deployment.engine) as connection:
            found = bringable(keepsakes_of(connection, run_id), utc_now())
    except Away as problem:
        # The effect has happened, and its report must not be hidden by this.
        text = f"Whether `undo {run_id}` can take this back is unknown: {problem.what}"
        return replace(report, parts=(*report.parts, Note(text=text, tone=Tone.WARNING)))
    if not found:
        return report
    until = min(one.expires_at for one in found)
    sizes = sum(one.bytes or 0 for one in found)
    held = f" About {size(sizes)} of memory stay taken until then." if sizes else ""
    text = f"`undo {run_id}` brings it back until {until:%Y-%m-%d %H:%M} UTC.{held}"
    return replace(
        report,
        parts=(*report.parts, Note(text=text)),
        actions=(*report.actions, Action(label="Undo", words=f"undo {run_id}", danger=True)),
        data={**report.data, "undo": {"run": run_id, "until": until.isoformat()}},
    )
