"""What you saw is what you get: at the click, what would be touched is held against what was shown."""

from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import select

from knowledge_base_agent.deployment import Deployment
from knowledge_base_agent.problems import Away, TooLate
from knowledge_base_agent.records.database import reading
from knowledge_base_agent.records.road_tables import AUDIT, CONFIRMATIONS
from knowledge_base_agent.report import Report
from knowledge_base_agent.requests import Changed, Pending
from knowledge_base_agent.runner import Runner
from tests.road.conftest import OLGA, OTTO, asked
from tests.road.ledger import WRITE, beside, unreachable

Kinds = Callable[..., list[str]]


def shown(runner: Runner, ledger: Path, names: str) -> Pending:
    beside(ledger).write_text(names)
    pending = runner.ask(asked(WRITE, ledger))
    assert isinstance(pending, Pending)
    runner.placed(pending.confirmation_id, place="C1", message="17.5")
    return pending


def changed(runner: Runner, pending: Pending) -> Changed:
    with pytest.raises(Changed) as caught:
        runner.confirm(pending.confirmation_id, OLGA)
    return caught.value


def test_the_same_set_runs_at_once_in_whatever_order_it_is_found(
    runner: Runner, ledger: Path
) -> None:
    pending = shown(runner, ledger, "a b c")
    beside(ledger).write_text("c a b")
    ended = runner.execute(runner.confirm(pending.confirmation_id, OLGA))
    assert ledger.read_text().startswith("written on c, a, b,")
    assert not ended.report.parts


def test_what_was_not_shown_is_a_new_preview_in_the_same_place_and_nothing_runs(
    runner: Runner, ledger: Path, deployment: Deployment, audit_kinds: Kinds
) -> None:
    pending = shown(runner, ledger, "a b")
    beside(ledger).write_text("a b c d e")
    problem = changed(runner, pending)
    assert "3 things came (c, d, e). Nothing was done" in problem.what
    assert not ledger.exists()
    audit_kinds("previewed", "superseded", "previewed")
    new = problem.now
    assert isinstance(new, Pending)
    assert new.asked_by.id == OTTO.id, "who clicked did not ask for it"
    assert "a, b, c, d, e" in new.report.text
    assert "3 things came" in str(new.report.parts[0])
    with reading(deployment.engine) as connection:
        query = select(CONFIRMATIONS.c.state, CONFIRMATIONS.c.place, CONFIRMATIONS.c.message)
        rows = connection.execute(query.order_by(CONFIRMATIONS.c.asked_at)).all()
    assert [tuple(row) for row in rows] == [
        ("superseded", "C1", "17.5"),
        ("pending", "C1", "17.5"),
    ]
    runner.execute(runner.confirm(new.confirmation_id, OLGA))
    assert ledger.read_text().startswith("written on a, b, c, d, e,")


def test_the_old_button_is_told_that_a_new_preview_took_its_place(
    runner: Runner, ledger: Path
) -> None:
    pending = shown(runner, ledger, "a")
    beside(ledger).write_text("a b")
    changed(runner, pending)
    for act in (runner.confirm, runner.cancel):
        with pytest.raises(TooLate, match=r"had changed when Olga confirmed it.*took its place"):
            act(pending.confirmation_id, OTTO)
    assert not ledger.exists()


def test_what_ended_by_itself_is_left_out_and_the_report_says_so(
    runner: Runner, ledger: Path
) -> None:
    pending = shown(runner, ledger, "a b c")
    beside(ledger).write_text("a")
    ended = runner.execute(runner.confirm(pending.confirmation_id, OLGA))
    assert ledger.read_text().startswith("written on a,")
    assert "gone before it ran: 2 things ended or went (b, c)" in str(ended.report.parts)


def test_as_many_as_before_but_others_are_not_what_was_seen(runner: Runner, ledger: Path) -> None:
    pending = shown(runner, ledger, "a b")
    beside(ledger).write_text("a c")
    assert "1 thing came (c)" in changed(runner, pending).what
    assert not ledger.exists()


def test_when_all_of_it_is_gone_nothing_runs_and_no_new_confirmation_is_asked_for(
    runner: Runner, ledger: Path, audit_kinds: Kinds
) -> None:
    pending = shown(runner, ledger, "a b")
    beside(ledger).write_text("")
    problem = changed(runner, pending)
    assert isinstance(problem.now, Report)
    assert "Nothing of what was shown is left" in problem.what
    assert not ledger.exists()
    audit_kinds("previewed", "superseded")


def test_while_it_cannot_be_looked_at_nothing_runs_and_the_preview_stays(
    runner: Runner, ledger: Path, audit_kinds: Kinds
) -> None:
    pending = shown(runner, ledger, "a")
    unreachable(ledger).touch()
    with pytest.raises(Away, match=r"The shelf does not answer.*not run.*can be confirmed until"):
        runner.confirm(pending.confirmation_id, OLGA)
    assert not ledger.exists()
    audit_kinds("previewed", "failed")
    unreachable(ledger).unlink()
    runner.execute(runner.confirm(pending.confirmation_id, OLGA))
    assert ledger.exists()


def test_a_look_that_hangs_is_given_up_and_nothing_runs(
    runner: Runner, ledger: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import os

    pending = shown(runner, ledger, "a")
    monkeypatch.setattr("knowledge_base_agent.looking_again.SECONDS", 0.3)
    beside(ledger).unlink()
    os.mkfifo(beside(ledger))  # whoever reads it waits until somebody writes
    with pytest.raises(Away, match=r"did not answer in time.*not run"):
        runner.confirm(pending.confirmation_id, OLGA)
    assert not ledger.exists()
    beside(ledger).write_text("a")


def test_a_preview_from_before_this_was_kept_is_shown_anew(
    runner: Runner, ledger: Path, deployment: Deployment
) -> None:
    pending = shown(runner, ledger, "a")
    with deployment.engine.begin() as connection:
        connection.execute(CONFIRMATIONS.update().values(scope="{}", fingerprint=""))
    assert isinstance(changed(runner, pending).now, Pending)
    assert not ledger.exists()


def test_the_audit_says_what_came(runner: Runner, ledger: Path, deployment: Deployment) -> None:
    pending = shown(runner, ledger, "a")
    beside(ledger).write_text("a b")
    changed(runner, pending)
    query = select(AUDIT.c.detail, AUDIT.c.actor_name).where(AUDIT.c.kind == "superseded")
    with reading(deployment.engine) as connection:
        detail, who = connection.execute(query).one()
    assert "1 thing came (b)" in detail
    assert who == "Olga"
