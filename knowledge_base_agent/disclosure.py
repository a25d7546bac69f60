"""Showing what is hidden otherwise: recorded first, and for the one who asked alone."""

from typing import TYPE_CHECKING

from msgspec.structs import replace
from sqlalchemy import Engine

from knowledge_base_agent.audit import Kind, entry_about, write
from knowledge_base_agent.records.database import writing
from knowledge_base_agent.report import Report
from knowledge_base_agent.requests import Request

if TYPE_CHECKING:
    from knowledge_base_agent.deployment import Deployment

_IDS_AN_ENTRY = 20


def note_asked(deployment: "Deployment", request: Request) -> None:
    """Record that somebody asks: in the background, but raw values at once, before it is recorded whose were shown.

    Raises `Away` for these: nobody looks for what may not be shown then.
    """
    entry = entry_about(request, Kind.REQUESTED)
    if not request.arguments.wants_raw:
        deployment.spool.add(entry)
        return
    with writing(deployment.engine) as connection:
        write(connection, entry)


def disclosed(engine: Engine, request: Request, report: Report) -> Report:
    """Return the report of somebody who asked for raw values as private, with an entry of whose were shown to whom.

    Any other report is returned as it is. Raises `Away`: what can't be recorded is not shown.
    """
    if not request.arguments.wants_raw:
        return report
    ids = report.raw_of
    portions = [ids[at : at + _IDS_AN_ENTRY] for at in range(0, len(ids), _IDS_AN_ENTRY)]
    if portions:
        details = (f"as they are, of {', '.join(portion)}" for portion in portions)
        entries = [entry_about(request, Kind.SHOWN, detail) for detail in details]
        with writing(engine) as connection:
            write(connection, *entries)
    return replace(report, private=True)
