"""Two people, and a set that changes between the preview and the approval: never less than what was agreed to."""

from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import select

from knowledge_base_agent.actors import Actor
from knowledge_base_agent.deployment import Deployment
from knowledge_base_agent.operations.stated import UNSTATED, Stated
from knowledge_base_agent.problems import Refused
from knowledge_base_agent.records.database import reading
from knowledge_base_agent.records.road_tables import CONFIRMATIONS
from knowledge_base_agent.report import Report
from knowledge_base_agent.requests import Changed, Pending
from knowledge_base_agent.runner import Runner
from tests.road.conftest import ADA, OTTO
from tests.road.ledger import ALL, beside
from tests.road.test_second_person import GLASS, REASON, pending


def changed(runner: Runner, pending: Pending, actor: Actor) -> Changed:
    with pytest.raises(Changed) as caught:
        runner.confirm(pending.confirmation_id, actor)
    return caught.value


@pytest.mark.parametrize("stated", [REASON, GLASS])
def test_what_changed_before_the_approval_still_needs_two_for_the_same_reason(
    runner: Runner, grave: Path, stated: Stated
) -> None:
    beside(grave).write_text("a b")
    old = pending(runner, grave, stated)
    beside(grave).write_text("a b c")
    new = changed(runner, old, ADA).now
    assert isinstance(new, Pending)
    assert (new.asked_by.id, new.terms) == ("UOTTO", old.terms)
    with pytest.raises(Refused):
        runner.confirm(new.confirmation_id, OTTO)
    runner.execute(runner.confirm(new.confirmation_id, ADA))
    assert grave.read_text().startswith("written on a, b, c,")


@pytest.fixture
def few(deployment: Deployment) -> Runner:
    """A runner of a deployment where more than two things need two people."""
    strict = deployment.settings.model_copy(update={"two_person_above": 2})
    return Runner(replace(deployment, settings=strict), ALL)


def test_what_has_grown_past_the_threshold_needs_two_at_the_click(
    few: Runner, ledger: Path
) -> None:
    beside(ledger).write_text("a b")
    old = pending(few, ledger)
    assert old.terms.why_two == ""
    beside(ledger).write_text("a b c")
    problem = changed(few, old, OTTO)
    assert "This needs two people by now: it touches 3, more than the 2" in problem.what
    assert isinstance(problem.now, Pending)
    with pytest.raises(Refused, match="You asked for this yourself"):
        few.confirm(problem.now.confirmation_id, OTTO)
    few.execute(few.confirm(problem.now.confirmation_id, ADA))
    assert ledger.exists()


def test_what_has_grown_past_the_threshold_without_a_reason_has_to_be_asked_again(
    few: Runner, ledger: Path, deployment: Deployment
) -> None:
    beside(ledger).write_text("a b")
    old = pending(few, ledger, UNSTATED)
    beside(ledger).write_text("a b c")
    problem = changed(few, old, OTTO)
    assert "Ask again with --reason" in problem.what
    assert isinstance(problem.now, Report)
    with reading(deployment.engine) as connection:
        states = connection.execute(select(CONFIRMATIONS.c.state)).scalars().all()
    assert states == ["superseded"]
    assert not ledger.exists()


def test_one_who_was_enough_at_the_preview_is_not_where_the_rule_has_become_stricter(
    runner: Runner, deployment: Deployment, ledger: Path
) -> None:
    old = pending(runner, ledger)
    strict = deployment.settings.model_copy(update={"two_person_above": 0})
    stricter = Runner(replace(deployment, settings=strict), ALL)
    problem = changed(stricter, old, OTTO)
    assert "This needs two people by now" in problem.what
    assert not ledger.exists()
    assert isinstance(problem.now, Pending)
    stricter.execute(stricter.confirm(problem.now.confirmation_id, ADA))
    assert ledger.exists()
