"""Who belongs: each kind of person, and what they may do, as a table of its own.

It shares nothing with the policy but the names of the settings, so that the policy is not judged by itself.
"""

import itertools
from dataclasses import dataclass

from knowledge_base_agent.actors import Actor, Audience, Standing, Surface
from knowledge_base_agent.operations.operation import AnyOperation, Risk

KINDS = (
    "member", "guest", "single-channel guest", "deactivated", "bot", "workflow", "stranger",
    "of another workspace", "could not be looked up", "known and yet of no workspace",
)  # fmt: skip
PEOPLE = {
    "admin": "UADMIN",
    "admin who asked": "UASKER",
    "operator": "UOP",
    "operator by group": "UGROUP",
    "viewer": "UVIEW",
    "nobody": "UANY",
}
ADMINS, OPERATORS, VIEWERS = ("UADMIN", "UASKER"), ("UOP", "SCALL"), ("UVIEW",)
"""The settings that the deployment must have; viewers are named only where it is closed."""
_RANK = {
    "nobody": 0, "viewer": 1, "operator": 2, "operator by group": 2, "admin": 3, "admin who asked": 3,
}  # fmt: skip
_NEEDED = {Risk.READ: 1, Risk.CHANGE: 2, Risk.DESTROY: 2}


@dataclass(frozen=True, kw_only=True)
class Case:
    """Somebody, as what they are named, what they are, who reads along, and whether only named viewers may look."""

    named: str
    kind: str
    audience: Audience
    closed: bool

    def actor(self) -> Actor:
        """Return them as the front would."""
        member = self.kind == "member"
        known = self.kind != "could not be looked up"
        groups = frozenset({"SCALL"}) if self.named == "operator by group" else frozenset()
        standing = Standing(
            known=known,
            full_member=member,
            why_not="" if member else self.kind,
            groups=groups,
            audience=self.audience,
        )
        user = PEOPLE[self.named]
        return Actor(id=user, name=user, surface=Surface.SLACK, standing=standing)

    def may(self, operation: AnyOperation) -> bool:
        """Tell whether they may ask for an operation, and confirm or cancel it where one person is enough."""
        if self.kind != "member":
            return False
        rank = _RANK[self.named]
        if not self.closed:
            rank = max(rank, 1)
        if operation.risk is Risk.DESTROY and self.audience is not Audience.OURS:
            return False
        return rank >= _NEEDED[operation.risk]

    def may_approve(self, operation: AnyOperation) -> bool:
        """Tell whether they may be the second person to “admin who asked”."""
        return self.may(operation) and self.named == "admin"


CASES = [
    Case(named=named, kind=kind, audience=audience, closed=closed)
    for named, kind, audience, closed in itertools.product(PEOPLE, KINDS, Audience, (False, True))
]
ASKER = Case(named="admin who asked", kind="member", audience=Audience.OURS, closed=False).actor()
