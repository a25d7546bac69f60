"""The terms of a preview, from what it touches and what was stated, and how the audit tells of them."""

from typing import Any

from sqlalchemy import Connection

from knowledge_base_agent import glass
from knowledge_base_agent.actors import Surface
from knowledge_base_agent.alone import before
from knowledge_base_agent.audit import Entry, Kind, entry_about, named, write
from knowledge_base_agent.clock import utc_now
from knowledge_base_agent.confirmations import Confirmation, Terms
from knowledge_base_agent.looking_again import Seen
from knowledge_base_agent.operations.operation import Preview
from knowledge_base_agent.problems import ReasonNeeded
from knowledge_base_agent.requests import Asked, Request
from knowledge_base_agent.settings import Settings
from knowledge_base_agent.two_people import Consent, alone_from, why_together, why_two

KINDS = {
    Consent.CONFIRMED: Kind.CONFIRMED,
    Consent.APPROVED: Kind.APPROVED,
    Consent.BROKE_GLASS: Kind.BROKE_GLASS,
}


def terms_of(
    connection: Connection, request: Request, preview: Preview[Any], settings: Settings
) -> Terms:
    """Return what the confirmation of this preview hangs on.

    Raises `ReasonNeeded` where two people are needed and nobody has said why, and `Refused` as `alone_from` does.
    """
    asker, stated = request.actor, request.stated
    why = _why(
        connection, request.operation.name, preview, settings, asker=asker.id, surface=asker.surface
    )
    if why and not stated.why:
        raise _unreasoned(request.actor.surface, why, preview)
    alone = alone_from(request.actor, stated, why, settings, utc_now())
    return Terms(why_two=why, reason=stated.why, alone_from=alone)


def _why(
    connection: Connection,
    operation: str,
    preview: Preview[Any],
    settings: Settings,
    *,
    asker: str,
    surface: Surface,
) -> str:
    """Return why two people are needed, by what is asked and by what the same person did alone before."""
    target = preview.target.model_dump_json()
    earlier = before(connection, operation, target, settings, asker=asker, surface=surface)
    whys = (why_two(preview, settings, surface), why_together(preview, earlier, settings))
    return "; ".join(why for why in whys if why)


def renewed(
    connection: Connection, found: Confirmation, preview: Preview[Any] | None, settings: Settings
) -> Terms:
    """Return the terms of what is seen at the click: what needed two people still does, and more may by now."""
    why, surface = "", Surface(found.surface)
    if preview is not None:
        why = _why(
            connection, found.operation, preview, settings, asker=found.asked_by, surface=surface
        )
    return Terms(why_two=found.why_two or why, reason=found.reason, alone_from=found.alone_from)


def wants_reason(terms: Terms) -> bool:
    """Tell whether nobody has said why, where somebody must."""
    return bool(terms.why_two) and not terms.reason


def changed_to(found: Confirmation, seen: Seen, terms: Terms) -> str:
    """Say what is not as it was when a preview was shown."""
    changed = seen.said if seen.preview is None or seen.difference.came else ""
    if found.why_two or not terms.why_two or seen.preview is None:
        return changed
    again = ' Ask again with --reason "…".' if wants_reason(terms) else ""
    done = "" if changed else " Nothing was done."
    return f"{changed} This needs two people by now: {terms.why_two}.{done}{again}".strip()


def _unreasoned(surface: Surface, why: str, preview: Preview[Any]) -> ReasonNeeded:
    if surface is Surface.SHELL:
        what, cure = f"This is of the top risk: {why}.", 'Say why, with --reason "…".'
    else:
        what = f"This needs two people: {why}."
        cure = "State a reason, and a different admin can approve it."
    return ReasonNeeded(what, cure, preview.report)


def said(terms: Terms | Confirmation) -> list[str]:
    """Return the terms as sentences for the audit; none for what one person may do without a word."""
    two = [f"Of the top risk: {terms.why_two}."] if terms.why_two else []
    return [*two, f"Reason: {terms.reason}."] if terms.reason else two


def agreement(taken: Confirmation) -> str:
    """Return what was agreed to, whose wish it was and why, for the audit entry of the click."""
    terms = said(taken)
    return " ".join([f"Asked by {taken.asked_by_name}.", *terms]) if terms else ""


def breaking(request: Asked, kept: Confirmation) -> Entry:
    """Return the entry that tells at once of somebody who means to go on alone."""
    from_ = f"{kept.alone_from:%H:%M:%S} UTC" if kept.alone_from else "now"
    detail = f"Can go on alone from {from_}, unless somebody stops it. Reason: {kept.reason}. {kept.why_two}."
    return entry_about(request, Kind.BREAKING_GLASS, detail, kept.id)


def write_previewed(
    connection: Connection, request: Asked, preview: Preview[Any], kept: Confirmation
) -> None:
    """Write what is previewed and on which terms; everyone is to hear of somebody who means to go on alone."""
    detail = " ".join([*said(kept), preview.report.text, named(preview.target)])
    write(connection, entry_about(request, Kind.PREVIEWED, detail, kept.id))
    if kept.alone_from is not None:
        write(connection, breaking(request, kept))
        glass.sound(connection, kept.id)
