"""Every operation × every kind of person × every role × every channel, down the real road, and counted."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import product
from typing import Any

from sqlalchemy import func, select

from knowledge_base_agent.actors import Actor, Audience, Standing, Surface
from knowledge_base_agent.deployment import Deployment
from knowledge_base_agent.operations import OPERATIONS
from knowledge_base_agent.operations.operation import AnyOperation, Preview, Risk, given
from knowledge_base_agent.problems import Problem, Refused
from knowledge_base_agent.records.database import reading
from knowledge_base_agent.records.road_tables import AUDIT
from knowledge_base_agent.report import Report
from knowledge_base_agent.requests import Request
from knowledge_base_agent.runner import Runner
from knowledge_base_agent.scope import Scope
from tests.waiting import wait_until

NAMED = {"viewers": ("UVIEWER",), "operators": ("UOPERATOR",), "admins": ("UADMIN",)}
"""The settings that the deployment must have."""
ROLES = {"UANY": 0, "UVIEWER": 1, "UOPERATOR": 2, "UADMIN": 3}
NEEDS = {Risk.READ: 1, Risk.CHANGE: 2, Risk.DESTROY: 2}
"""Written here once more, on purpose: the code's own table must not be what it is judged by."""
KINDS = {
    "member": Standing(known=True, full_member=True, why_not=""),
    "guest": Standing(known=True, why_not="a guest"),
    "single-channel guest": Standing(known=True, why_not="a single-channel guest"),
    "stranger": Standing(known=True, why_not="of another organisation"),
    "bot": Standing(known=True, why_not="a bot"),
    "workflow": Standing(known=True, why_not="a workflow"),
    "deactivated": Standing(known=True, why_not="deactivated"),
    "of another workspace": Standing(known=True, why_not="of another workspace"),
    "unknown": Standing(),
}


@dataclass(kw_only=True)
class Counted:
    """What came of all of them."""

    asked: int = 0
    denied: int = 0
    recorded: int = 0
    """Refusals in the audit."""
    wrong: list[str] = field(default_factory=list)
    """Cases that were let through, or carried out, or refused, against the table."""


@dataclass(frozen=True, kw_only=True)
class Case:
    """One of them."""

    operation: AnyOperation
    actor: Actor
    kind: str

    @property
    def allowed(self) -> bool:
        """Whether it must be let through."""
        risk, standing = self.operation.risk, self.actor.standing
        among_ourselves = risk is not Risk.DESTROY or standing.audience is Audience.OURS
        return self.kind == "member" and ROLES[self.actor.id] >= NEEDS[risk] and among_ourselves

    @property
    def name(self) -> str:
        """What it is called in a failure."""
        return f"{self.operation.name} by {self.actor.id}, {self.kind}, {self.actor.standing.audience.name}"


def cases(ledger: Counter[str]) -> Iterator[Case]:
    """Return all of them; operations write to the ledger instead of doing anything."""
    for operation in OPERATIONS:
        traced = _traced(operation, ledger)
        audiences = tuple(Audience) if operation.risk is Risk.DESTROY else (Audience.OURS,)
        for user, kind, audience in product(ROLES, KINDS, audiences):
            standing = replace(KINDS[kind], audience=audience)
            actor = Actor(id=user, name=user, surface=Surface.SLACK, standing=standing)
            yield Case(operation=traced, actor=actor, kind=kind)


def _traced(operation: AnyOperation, ledger: Counter[str]) -> AnyOperation:
    """Return the operation with every part of it writing to the ledger."""
    shown = Report(title=operation.name, text="It was let through.")

    def answer(*_: Any) -> Report:
        ledger[operation.name] += 1
        return shown

    def preview(*_: Any) -> Preview[Any]:
        ledger[operation.name] += 1
        target = given(operation.target).model_construct()
        return Preview(target=target, report=shown, affected=0, scope=Scope())

    if operation.risk is Risk.DESTROY:
        return replace(operation, preview=preview, run=answer)
    return replace(operation, answer=answer)


def count(deployment: Deployment) -> Counted:
    """Ask for everything as everybody. The deployment's settings are `NAMED`, and its audit is empty."""
    ledger: Counter[str] = Counter()
    runner, counted = Runner(deployment), Counted()
    for case in cases(ledger):
        before = ledger.total()
        refused = _is_refused(runner, case)
        counted.asked += 1
        counted.denied += refused
        if refused is case.allowed or (not case.allowed and ledger.total() != before):
            counted.wrong.append(case.name)
    refusals = select(func.count()).where(AUDIT.c.kind == "refused")

    def recorded() -> int:
        with reading(deployment.engine) as connection:
            return int(connection.execute(refusals).scalar_one())

    wait_until(lambda: recorded() >= counted.denied, within=60, what="each refusal is in the audit")
    counted.recorded = recorded()
    return counted


def _is_refused(runner: Runner, case: Case) -> bool:
    arguments = case.operation.arguments.model_construct()
    words = case.operation.name
    try:
        runner.ask(
            Request(
                actor=case.actor,
                operation=case.operation,
                arguments=arguments,
                words=words,
                place="C1",
            )
        )
    except Refused:
        return True
    except Problem:  # let through, and something else stood in its way
        return False
    return False
