"""What needs two people is not had by one in parts: one after the other, or at the same moment."""

import dataclasses
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from sqlalchemy import update

from knowledge_base_agent.actors import Actor, shell_actor
from knowledge_base_agent.clock import utc_now
from knowledge_base_agent.deployment import Deployment
from knowledge_base_agent.operations.operation import AnyOperation, Preview, given
from knowledge_base_agent.problems import ReasonNeeded, Repeated
from knowledge_base_agent.records.database import writing
from knowledge_base_agent.records.road_tables import CONFIRMATIONS
from knowledge_base_agent.requests import Changed, Pending
from knowledge_base_agent.runner import Runner
from knowledge_base_agent.scope import Scope
from knowledge_base_agent.settings import Settings
from knowledge_base_agent.two_people import why_together
from tests.road.conftest import ADA, OLGA, OTTO, asked
from tests.road.ledger import WRITE, LedgerTarget, beside
from tests.road.test_second_person import pending
from tests.road.test_second_person_again import changed
from tests.road.test_two_people import preview

WHY = "with what the same person did alone in the last 10 min, it touches 3, more than the 2"


MAIL, FORMS, AGAIN = (Scope(flows={f"messages in {q}": 600}) for q in ("mail", "forms", "mail"))


@pytest.mark.parametrize(
    ("earlier", "affected", "leaves", "why"),
    [
        ((), 600, frozenset(), ""),
        ((FORMS,), 400, None, ""),
        ((FORMS,), 401, None, "it touches 1,001, more than the 1,000 of KB_TWO_PERSON_ABOVE"),
        ((FORMS,), 0, frozenset(), ""),
        ((FORMS,), 5, frozenset(), "all that there is of the kind was touched"),
        ((FORMS,), 5, frozenset({"messages in quiet"}), ""),
        (
            (FORMS,),
            5,
            frozenset({"messages in forms"}),
            "all that there is of the kind was touched",
        ),
        ((AGAIN,), 5, frozenset(), ""),
        ((Scope(flows={"messages in forms": 0}),), 5, frozenset(), ""),
        ((Scope(names={"worker": frozenset({"a"})}),), 1, frozenset({"a"}), ""),
    ],
)
def test_what_one_person_did_alone_before_counts_with_what_they_ask_now(
    earlier: tuple[Scope, ...], affected: int, leaves: frozenset[str] | None, why: str
) -> None:
    now = replace(preview(affected), scope=MAIL, leaves=leaves)
    same = "with what the same person did alone in the last 10 min, "
    assert why_together(now, earlier, Settings()) == (same + why if why else "")


def runner_of(deployment: Deployment, operation: AnyOperation = WRITE) -> Runner:
    """Return a runner where more than two things need two people."""
    strict = deployment.settings.model_copy(update={"two_person_above": 2})
    return Runner(dataclasses.replace(deployment, settings=strict), (operation,))


@pytest.fixture
def few(deployment: Deployment) -> Runner:
    """A runner where more than two things need two people."""
    return runner_of(deployment)


@pytest.fixture
def two(tmp_path: Path) -> Path:
    """A ledger whose writing touches two things."""
    path = tmp_path / "two"
    beside(path).write_text("a b")
    return path


@pytest.fixture
def one(tmp_path: Path) -> Path:
    """A ledger whose writing touches one thing."""
    return tmp_path / "one"


def long_ago_from_now(deployment: Deployment) -> None:
    """Let the window pass."""
    with writing(deployment.engine) as connection:
        long_ago = utc_now() - timedelta(minutes=10)
        connection.execute(update(CONFIRMATIONS).values(settled_at=long_ago))


def does(runner: Runner, path: Path, actor: Actor = OTTO) -> None:
    runner.execute(runner.confirm(pending(runner, path, actor=actor).confirmation_id, actor))


def test_what_one_person_did_alone_a_moment_ago_counts_with_what_they_ask_for_now(
    few: Runner, two: Path, one: Path
) -> None:
    does(few, two)
    with pytest.raises(ReasonNeeded, match=WHY):
        few.ask(asked(WRITE, one))
    assert WHY in pending(few, one).terms.why_two
    assert pending(few, one, actor=OLGA).terms.why_two == "", "she has done nothing"


def test_two_previews_that_were_asked_for_before_either_ran_are_added_up_at_the_click(
    few: Runner, two: Path, one: Path
) -> None:
    first, second = pending(few, two), pending(few, one)
    few.execute(few.confirm(first.confirmation_id, OTTO))
    now = changed(few, second, OTTO).now
    assert isinstance(now, Pending)
    assert WHY in now.terms.why_two
    assert not one.exists()
    few.execute(few.confirm(now.confirmation_id, ADA))
    few.execute(few.confirm(pending(few, one).confirmation_id, ADA))
    assert len(one.read_text().splitlines()) == 2


def test_what_two_agreed_to_and_what_is_long_ago_and_the_shell_are_not_added_up(
    few: Runner, two: Path, one: Path, grave: Path, deployment: Deployment
) -> None:
    few.execute(few.confirm(pending(few, grave).confirmation_id, ADA))
    does(few, two, shell_actor("otto"))
    does(few, one, shell_actor("otto"))
    does(few, two)
    long_ago_from_now(deployment)
    assert pending(few, one).terms.why_two == ""


class Between:
    """An operation in whose look at the click, when it has seen what is there, something else happens."""

    def __init__(self, *, leaves: frozenset[str] | None = None) -> None:
        self.happens: Callable[[], object] | None = None
        self._leaves = leaves
        self.operation: AnyOperation = replace(WRITE, again=self._again)

    def _again(self, deployment: Deployment, target: LedgerTarget) -> Preview[Any]:
        found: Preview[Any] = replace(given(WRITE.again)(deployment, target), leaves=self._leaves)
        if self.happens is not None:
            self.happens()
        return found


def test_of_two_clicks_at_the_same_moment_one_runs_and_the_other_needs_a_second_person(
    deployment: Deployment, two: Path, one: Path
) -> None:
    between, together = Between(), threading.Barrier(2, timeout=30)
    runner = runner_of(deployment, between.operation)

    def click(pending: Pending) -> str:
        try:
            return runner.execute(runner.confirm(pending.confirmation_id, OTTO)).report.title
        except (Changed, Repeated) as problem:
            return "needs two" if WHY in problem.what else str(problem)

    for _ in range(8):
        previews = [pending(runner, path) for path in (two, one)]
        between.happens = together.wait
        with ThreadPoolExecutor(2) as threads:
            assert sorted(threads.map(click, previews)) == ["ledger", "needs two"]
        long_ago_from_now(deployment)


@pytest.mark.parametrize("other", [OTTO, OLGA])
def test_what_must_leave_something_does_not_start_beside_another_that_the_look_did_not_see(
    deployment: Deployment, tmp_path: Path, other: Actor
) -> None:
    between = Between(leaves=frozenset({"another"}))
    runner = Runner(deployment, (between.operation,))
    first = pending(runner, tmp_path / "first", actor=other)
    second = pending(runner, tmp_path / "second")

    def the_other_begins_and_ends() -> None:
        between.happens = None
        runner.execute(runner.confirm(first.confirmation_id, other))

    between.happens = the_other_begins_and_ends
    with pytest.raises(
        Repeated, match=r"op-1 \(`write first`, by .*\) is doing the same to others"
    ):
        runner.confirm(second.confirmation_id, OTTO)
    assert not (tmp_path / "second").exists()
    runner.execute(runner.confirm(second.confirmation_id, OTTO))
    assert (tmp_path / "second").exists()
