"""Every operation × every kind of person × every way to it: who may not is refused, and each refusal is in the audit.

What is expected stands here as a table of its own, and shares nothing with the policy but the names of the settings.
"""

import contextlib
import itertools
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import func, select

from knowledge_base_agent import confirmations
from knowledge_base_agent.actors import Actor, Audience, Standing, Surface, shell_actor
from knowledge_base_agent.deployment import Deployment, open_deployment
from knowledge_base_agent.operations import OPERATIONS
from knowledge_base_agent.operations.operation import AnyOperation, Arguments, Risk
from knowledge_base_agent.problems import Refused
from knowledge_base_agent.records.database import reading, writing
from knowledge_base_agent.records.road_tables import AUDIT
from knowledge_base_agent.requests import Request
from knowledge_base_agent.runner import Runner
from knowledge_base_agent.scope import Scope
from knowledge_base_agent.settings import Settings
from tests.trust.place import Place
from tests.trust.trial import Trial

LET_IN, SHUT_OUT, UNRECORDED = (
    "people let in who do not belong",
    "people shut out who belong",
    "refusals without an entry",
)
_KINDS = (
    "member", "guest", "single-channel guest", "deactivated", "bot", "workflow", "stranger",
    "could not be looked up", "known and yet of no workspace",
)  # fmt: skip
_NAMED = ("admin", "operator", "operator by group", "viewer", "nobody")
_RANK = {"nobody": 0, "viewer": 1, "operator": 2, "operator by group": 2, "admin": 3}
_NEEDED = {Risk.READ: 1, Risk.CHANGE: 2, Risk.DESTROY: 2}
_PEOPLE = {
    "admin": "UADMIN",
    "operator": "UOP",
    "operator by group": "UGROUP",
    "viewer": "UVIEW",
    "nobody": "UANY",
}


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
        user = _PEOPLE[self.named]
        return Actor(id=user, name=user, surface=Surface.SLACK, standing=standing)

    def may(self, operation: AnyOperation) -> bool:
        """Tell what the table says."""
        if self.kind != "member":
            return False
        rank = _RANK[self.named]
        if not self.closed:
            rank = max(rank, 1)
        if operation.risk is Risk.DESTROY and self.audience is not Audience.OURS:
            return False
        return rank >= _NEEDED[operation.risk]


_CASES = [
    Case(named=named, kind=kind, audience=audience, closed=closed)
    for named, kind, audience, closed in itertools.product(_NAMED, _KINDS, Audience, (False, True))
]
WHOLE = sum(
    3 if operation.risk is Risk.DESTROY and not case.may(operation) else 1
    for operation, case in itertools.product(OPERATIONS, _CASES)
) + len(OPERATIONS)
"""How many attempts there are: to ask, in Slack and in the shell; for those who may not, to confirm and to cancel."""


def run(trial: Trial, place: Place) -> None:
    """Go through the whole product, in an order that the seed gives; a smaller count takes the first of it."""
    trial.never(LET_IN, SHUT_OUT, UNRECORDED)
    product = list(itertools.product(OPERATIONS, _CASES))
    trial.random.shuffle(product)
    open_to = _settings(place, closed=False), _settings(place, closed=True)
    refused = 0
    with contextlib.closing(open_deployment(open_to[0])) as everybody:
        with contextlib.closing(open_deployment(open_to[1])) as named_only:
            waiting = _previews(everybody)
            for operation, case in product:
                if trial.goes_on():
                    opened = named_only if case.closed else everybody
                    refused += _tried(trial, opened, operation, case, waiting)
        _judge_shell(trial, everybody)
    _judge_entries(trial, open_to[0], refused)


def _settings(place: Place, *, closed: bool) -> Settings:
    viewers = ("UVIEW",) if closed else ()
    return place.settings(
        place.sqlite_url, admins=("UADMIN",), operators=("UOP", "SCALL"), viewers=viewers
    )


def _previews(opened: Deployment) -> dict[str, str]:
    """Keep a preview of each operation that has them, for people to press."""
    author = Case(named="admin", kind="member", audience=Audience.OURS, closed=False).actor()
    kept = {}
    with writing(opened.engine) as connection:
        for operation in OPERATIONS:
            if operation.risk is Risk.DESTROY:
                found = confirmations.keep(
                    connection,
                    author,
                    operation=operation.name,
                    words=operation.name,
                    target="{}",
                    scope=Scope(names={}),
                    asked="",
                    place="C1",
                    within=opened.settings.confirm_within,
                )
                kept[operation.name] = found.id
    return kept


def _tried(
    trial: Trial, opened: Deployment, operation: AnyOperation, case: Case, waiting: dict[str, str]
) -> int:
    """Let somebody try every way to an operation; return how often they were refused."""
    actor, runner = case.actor(), Runner(opened)
    request = Request(actor=actor, operation=operation, arguments=Arguments(), words=operation.name)
    ways: dict[str, Callable[[], object]] = {"ask": lambda: runner.admit(request)}
    if operation.risk is Risk.DESTROY and not case.may(operation):
        # Who may is let in where they ask; to let them press would carry it out.
        press = waiting[operation.name]
        ways["confirm"] = lambda: runner.confirm(press, actor)
        ways["cancel"] = lambda: runner.cancel(press, actor)
    refused = 0
    for way, take in ways.items():
        try:
            take()
        except Refused:
            refused += 1
            if case.may(operation):
                trial.saw(SHUT_OUT, f"{way} {operation.name}: {case}")
        else:
            if not case.may(operation):
                trial.saw(LET_IN, f"{way} {operation.name}: {case}")
        trial.did(way)
    return refused


def _judge_shell(trial: Trial, opened: Deployment) -> None:
    """Whoever has the machine may do everything."""
    for operation in OPERATIONS:
        actor = shell_actor("root")
        request = Request(actor=actor, operation=operation, arguments=Arguments(), words="")
        try:
            Runner(opened).admit(request)
        except Refused as problem:
            trial.saw(SHUT_OUT, f"the shell, from {operation.name}: {problem.what}")
        trial.did("in the shell")


def _judge_entries(trial: Trial, settings: Settings, refused: int) -> None:
    """Compare the refusals with the audit, once both deployments have written what they had to write."""
    with (
        contextlib.closing(open_deployment(settings)) as opened,
        reading(opened.engine) as connection,
    ):
        query = select(func.count()).select_from(AUDIT).where(AUDIT.c.kind == "refused")
        written = connection.execute(query).scalar_one()
    trial.also("refusals, each with its entry", written)
    if written != refused:
        trial.saw(UNRECORDED, f"{refused} refused, {written} entries")
