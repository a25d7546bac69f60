"""Who may do what: one function for every surface. Pure; the lookup of a person happens before, in the front."""

from enum import Enum
from typing import TYPE_CHECKING

from knowledge_base_agent.actors import Actor, Audience, Surface
from knowledge_base_agent.operations.operation import Risk
from knowledge_base_agent.problems import Refused
from knowledge_base_agent.settings import Settings

if TYPE_CHECKING:
    from knowledge_base_agent.requests import Request


class Role(Enum):
    """What a person is named for, each including the one before it."""

    NOBODY = 0
    VIEWER = 1
    OPERATOR = 2
    ADMIN = 3


NEEDED = {Risk.READ: Role.VIEWER, Risk.CHANGE: Role.OPERATOR, Risk.DESTROY: Role.OPERATOR}


def role_of(actor: Actor, settings: Settings) -> Role:
    """Return the highest role of this actor. Whoever is no full member has none, even when named."""
    if actor.surface is not Surface.SLACK:
        return Role.ADMIN
    standing = actor.standing
    if not (standing.known and standing.full_member):
        return Role.NOBODY
    mine = standing.groups | {actor.id}
    if mine & set(settings.admins):
        return Role.ADMIN
    if mine & set(settings.operators):
        return Role.OPERATOR
    if not settings.viewers or mine & set(settings.viewers):
        return Role.VIEWER
    return Role.NOBODY


def authorise(actor: Actor, risk: Risk, settings: Settings) -> None:
    """Return if this actor may do things of this risk; raise `Refused`, with the reason and who can help, if not."""
    role = role_of(actor, settings)
    if role.value >= NEEDED[risk].value:
        _among_ourselves(actor, risk)
        return
    standing = actor.standing
    if not standing.known:
        raise Refused(
            "Slack could not tell who you are, so nothing was done.", "Try again in a minute."
        )
    if not standing.full_member:
        raise Refused(
            f"Only full members of this workspace may use this, and you are {standing.why_not}.",
            "Ask a member of the on-call team to do it.",
        )
    if role is Role.NOBODY:
        raise Refused(
            "You are not among the people who may look at this deployment.",
            "Ask an admin to add you to KB_VIEWERS.",
        )
    nobody = "" if settings.operators or settings.admins else " Nobody has been named yet."
    raise Refused(
        f"This changes the deployment, and you may look but not change.{nobody}",
        "Ask an operator to do it, or an admin to add you to KB_OPERATORS.",
    )


def _among_ourselves(actor: Actor, risk: Risk) -> None:
    """Return unless something would be destroyed from a channel that others may read or click in."""
    audience = actor.standing.audience
    if actor.surface is not Surface.SLACK or risk is not Risk.DESTROY or audience is Audience.OURS:
        return
    if audience is Audience.SHARED:
        raise Refused(
            "This channel is shared with another organisation, and nothing is destroyed from there.",
            "Ask in a channel of this organisation alone, or in my direct messages.",
        )
    raise Refused(
        "Slack could not tell whether this channel is shared with another organisation, so nothing was destroyed.",
        "Try again in a minute, `/invite` me if the channel is private, or ask in my direct messages. `/kb doctor` "
        "tells whether Slack lets me look.",
    )


def authorise_request(request: "Request", settings: Settings) -> None:
    """Return if this request's actor may ask for it, with what its words ask to see; raise `Refused` if not."""
    authorise(request.actor, request.operation.risk, settings)
    if request.arguments.wants_raw:
        authorise_raw(request.actor, settings)


def authorise_raw(actor: Actor, settings: Settings) -> None:
    """Return if this actor may see arguments and results unredacted; raise `Refused` if not.

    A role of its own, beside the others: an admin has it only where named. It comes after `authorise`, never instead.
    """
    if actor.surface is Surface.SHELL:
        return
    standing = actor.standing
    named = (standing.groups | {actor.id}) & set(settings.raw_readers)
    if standing.known and standing.full_member and named:
        return
    nobody = "" if settings.raw_readers else " Nobody has been named yet."
    raise Refused(
        f"Arguments and results as they are can hold secrets, and you are not among those who may see them.{nobody}",
        "Ask without `--arguments`, or ask an admin to add you to KB_RAW_READERS.",
    )
