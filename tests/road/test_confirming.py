"""A click on a preview: each way in which it does not count is told to its person, recorded once, and runs nothing."""

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import pytest
from msgspec.structs import replace
from sqlalchemy import update

from knowledge_base_agent.actors import Actor
from knowledge_base_agent.deployment import Deployment
from knowledge_base_agent.operations.stated import Stated
from knowledge_base_agent.problems import Refused, TooLate
from knowledge_base_agent.records.database import writing
from knowledge_base_agent.records.road_tables import RUNS
from knowledge_base_agent.requests import Changed, Pending
from knowledge_base_agent.runner import Runner
from tests.road.conftest import ADA, OLGA, OTTO, VERA, asked
from tests.road.ledger import ALL, WRITE

Kinds = Callable[..., list[str]]
REASON = Stated(reason="poisoned by deploy 42")


def pending(runner: Runner, path: Path, *, repeat: bool = False) -> Pending:
    outcome = runner.ask(replace(asked(WRITE, path), stated=REASON, repeat=repeat))
    assert isinstance(outcome, Pending)
    return outcome


@pytest.mark.parametrize(
    ("clicker", "why"),
    [
        (OTTO, "You asked for this yourself"),
        (OLGA, "Only an admin"),
        (VERA, "you may look but not change"),
    ],
)
def test_who_is_no_second_person_is_refused_and_recorded_and_nothing_runs(
    runner: Runner, grave: Path, audit_kinds: Kinds, clicker: Actor, why: str
) -> None:
    preview = pending(runner, grave)
    with pytest.raises(Refused, match=why):
        runner.confirm(preview.confirmation_id, clicker)
    audit_kinds("previewed", "refused")
    assert not grave.exists()


def test_who_is_the_second_person_approves_what_was_shown_and_it_runs(
    runner: Runner, grave: Path, audit_kinds: Kinds
) -> None:
    preview = pending(runner, grave)
    claimed = runner.confirm(preview.confirmation_id, ADA)
    audit_kinds("previewed", "approved", "started")
    runner.execute(claimed)
    assert len(grave.read_text().splitlines()) == 1


def test_where_the_rule_has_become_stricter_one_person_is_not_enough_any_more(
    runner: Runner, deployment: Deployment, ledger: Path, audit_kinds: Kinds
) -> None:
    preview = pending(runner, ledger)
    strict = deployment.settings.model_copy(update={"two_person_above": 0})
    with pytest.raises(Changed, match="needs two people by now"):
        Runner(dataclasses.replace(deployment, settings=strict), ALL).confirm(
            preview.confirmation_id, OTTO
        )
    audit_kinds("previewed", "superseded", "previewed")
    assert not ledger.exists()


def test_what_came_too_late_by_the_second_look_is_told_and_recorded_as_that(
    runner: Runner, deployment: Deployment, ledger: Path, audit_kinds: Kinds
) -> None:
    preview = pending(runner, ledger)

    def over(*_: object) -> NoReturn:
        raise TooLate("This was undone by Olga.", "Look at `ops`.")

    later = Runner(deployment, (replace(WRITE, again=over),))
    with pytest.raises(TooLate, match="undone by Olga"):
        later.confirm(preview.confirmation_id, OTTO)
    audit_kinds("previewed", "too late")
    assert not ledger.exists()


def test_who_confirms_a_preview_means_it_though_they_have_just_done_the_same(
    runner: Runner, deployment: Deployment, ledger: Path
) -> None:
    first = pending(runner, ledger)
    second = pending(runner, ledger, repeat=True)
    runner.execute(runner.confirm(first.confirmation_id, OTTO))
    with writing(deployment.engine) as connection:  # as runs were written that knew no scope
        connection.execute(update(RUNS).values(scope=""))
    runner.execute(runner.confirm(second.confirmation_id, OTTO))
    assert len(ledger.read_text().splitlines()) == 2
