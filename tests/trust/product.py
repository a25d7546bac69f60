"""Every operation × every kind of person × every way to it: who may not is refused, and it is in the audit.

The road is the real one; the operations at its end only leave a trace. What is expected stands in `belonging.py`.
"""

import contextlib
import itertools
from collections import Counter
from collections.abc import Callable, Iterator

from sqlalchemy import func, select

from knowledge_base_agent.actors import Actor, shell_actor
from knowledge_base_agent.deployment import Deployment, open_deployment
from knowledge_base_agent.operations import OPERATIONS
from knowledge_base_agent.operations.operation import AnyOperation, Arguments, Risk
from knowledge_base_agent.operations.stated import Stated
from knowledge_base_agent.problems import Refused
from knowledge_base_agent.records.database import reading
from knowledge_base_agent.records.road_tables import AUDIT
from knowledge_base_agent.requests import Claimed, Pending, Request
from knowledge_base_agent.runner import Runner
from knowledge_base_agent.settings import Settings
from tests.trust.belonging import (
    ADMINS,
    ASKER,
    CASES,
    KINDS,
    OPERATORS,
    PEOPLE,
    VIEWERS,
    Case,
)
from tests.trust.place import Place
from tests.trust.traced import traced
from tests.trust.trial import Trial

LET_IN, SHUT_OUT, EFFECTS, UNRECORDED = (
    "people let in who do not belong",
    "people shut out who belong",
    "effects of what was refused",
    "refusals without an entry",
)
DESTROYING = [one for one in OPERATIONS if one.risk is Risk.DESTROY]
WHOLE = (len(OPERATIONS) + len(DESTROYING)) * (len(CASES) + 1) + sum(
    2 for one, case in itertools.product(DESTROYING, CASES) if not case.may(one)
)
"""How many attempts there are: to ask and to approve, in Slack and in the shell; who may not also confirms and cancels.
(Who may is let in where they ask and approve; to let them press everything would only carry it out more often.)"""
ONCE = (len(OPERATIONS) + 3 * len(DESTROYING)) * len(KINDS) * len(PEOPLE)
"""So many attempts take every operation with every kind of person once, whoever reads along."""
Way = tuple[str, bool, Callable[[], object]]
"""What is tried, whether it must be let through, and how to try it."""


class _Road:
    """The road of one deployment, and previews of everything that destroys, which wait for people to press."""

    def __init__(self, deployment: Deployment) -> None:
        self.ledger: Counter[str] = Counter()
        self.operations = traced(self.ledger)
        self._grave = traced(self.ledger, grave="it is of the top risk")
        self.one = Runner(deployment, tuple(self.operations.values()))
        self.two = Runner(deployment, tuple(self._grave.values()))
        self.wait_for_one: dict[str, str] = {}
        self.wait_for_two: dict[str, str] = {}
        for operation in DESTROYING:
            self.renew(operation.name)

    def renew(self, name: str) -> None:
        """Let previews wait: one that one person may confirm, one that needs a second."""
        self.wait_for_one[name] = _id_of(self.one.ask(_request(ASKER, self.operations[name])))
        self.wait_for_two[name] = _id_of(self.two.ask(_request(ASKER, self._grave[name])))


def _id_of(outcome: object) -> str:
    assert isinstance(outcome, Pending)
    return outcome.confirmation_id


def _request(actor: Actor, operation: AnyOperation) -> Request:
    return Request(
        actor=actor, operation=operation, arguments=Arguments(), words=operation.name, place="C1",
        stated=Stated(reason="a trial"), repeat=True,
    )  # fmt: skip


def run(trial: Trial, place: Place) -> None:
    """Go through the whole product, in an order that the seed gives; a smaller count takes the first of it."""
    trial.never(LET_IN, SHUT_OUT, EFFECTS, UNRECORDED)
    everybody, named_only = (_settings(place, closed=closed) for closed in (False, True))
    refused = 0
    with (
        contextlib.closing(open_deployment(everybody)) as opened,
        contextlib.closing(open_deployment(named_only)) as closed,
    ):
        roads = {False: _Road(opened), True: _Road(closed)}
        for name, case in _in_order(trial):
            if trial.goes_on():
                road = roads[case.closed]
                refused += _tried(trial, road, name, f"{case}", _ways(road, name, case))
        for operation in OPERATIONS:
            shell = _ways_of_the_shell(roads[False], operation.name)
            refused += _tried(trial, roads[False], operation.name, "the shell", shell)
    _judge_entries(trial, everybody, refused)


def _settings(place: Place, *, closed: bool) -> Settings:
    return place.settings(
        place.sqlite_url, admins=ADMINS, operators=OPERATORS, viewers=VIEWERS if closed else ()
    )


def _in_order(trial: Trial) -> list[tuple[str, Case]]:
    """Return the product in an order by chance, but first every operation with every kind of person once."""
    product = [(one.name, case) for one, case in itertools.product(OPERATIONS, CASES)]
    trial.random.shuffle(product)
    first: dict[tuple[str, str, str], tuple[str, Case]] = {}
    more = []
    for name, case in product:
        key = (name, case.named, case.kind)
        if key in first:
            more.append((name, case))
        first.setdefault(key, (name, case))
    return [*first.values(), *more]


def _ways(road: _Road, name: str, case: Case) -> Iterator[Way]:
    actor, operation = case.actor(), road.operations[name]
    may = case.may(operation)
    yield "ask", may, lambda: road.one.ask(_request(actor, operation))
    if operation.risk is not Risk.DESTROY:
        return
    if not may:
        yield "confirm", False, lambda: _pressed(road.one, road.wait_for_one[name], actor)
        yield "cancel", False, lambda: road.one.cancel(road.wait_for_one[name], actor)
    yield (
        "approve",
        case.may_approve(operation),
        lambda: _pressed(road.two, road.wait_for_two[name], actor),
    )


def _ways_of_the_shell(road: _Road, name: str) -> Iterator[Way]:
    """Whoever has the machine may do everything, but is nobody's second person."""
    actor, operation = shell_actor("root"), road.operations[name]
    yield "ask in the shell", True, lambda: road.one.ask(_request(actor, operation))
    if operation.risk is Risk.DESTROY:
        yield (
            "approve in the shell",
            False,
            lambda: _pressed(road.two, road.wait_for_two[name], actor),
        )


def _pressed(runner: Runner, confirmation_id: str, actor: Actor) -> Claimed:
    claimed = runner.confirm(confirmation_id, actor)
    runner.execute(claimed)
    return claimed


def _tried(trial: Trial, road: _Road, name: str, who: str, ways: Iterator[Way]) -> int:
    """Let somebody try every way to an operation; return how often they were refused."""
    refused = 0
    for way, may, take in ways:
        before = road.ledger.total()
        try:
            outcome = take()
        except Refused as problem:
            refused += 1
            if may:
                trial.saw(SHUT_OUT, f"{way} {name}: {who}: {problem.what}")
            if road.ledger.total() != before:
                trial.saw(EFFECTS, f"{way} {name}: {who}")
        else:
            if not may:
                trial.saw(LET_IN, f"{way} {name}: {who}")
            if not way.startswith("ask"):
                trial.also("pressed and run", int(isinstance(outcome, Claimed)))
                road.renew(name)
        trial.did(way)
    return refused


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
