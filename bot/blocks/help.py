"""What a person may do, in words."""

from msgspec.structs import replace

from knowledge_base_agent.policy import Role
from knowledge_base_agent.report import Note, Report

_MAY = {
    Role.NOBODY: "You may not use this deployment: ask an admin to add you to KB_VIEWERS.",
    Role.VIEWER: "You may look at everything. What changes the deployment is for operators.",
    Role.OPERATOR: "You are an operator: you may look and change, and confirm what destroys.",
    Role.ADMIN: "You are an admin: you may look and change, and confirm what destroys.",
}

_TOLD: dict[Role, tuple[Report, Report]] = {}
"""What was added to last, and what came of it: help is the same for all of a role, and is drawn once for them."""


def may(role: Role) -> str:
    """Return the sentence that tells a person what they may do."""
    return _MAY[role]


def for_person(report: Report, role: Role) -> Report:
    """Return help with a line about what the person who asked may do."""
    kept = _TOLD.get(role)
    if kept is None or kept[0] is not report:
        kept = _TOLD[role] = report, replace(report, parts=(*report.parts, Note(text=may(role))))
    return kept[1]
