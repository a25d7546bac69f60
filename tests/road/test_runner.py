"""The road: what is recorded before and after, who may, and what happens once."""

import gc
import weakref
from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec.structs import replace
from sqlalchemy import select, update

from knowledge_base_agent.clock import utc_now
from knowledge_base_agent.deployment import Deployment, open_deployment
from knowledge_base_agent.problems import Away, NotFound, Refused, TooLate
from knowledge_base_agent.records.database import reading, writing
from knowledge_base_agent.records.road_tables import AUDIT, CONFIRMATIONS, RUNS
from knowledge_base_agent.report import Report
from knowledge_base_agent.requests import Pending
from knowledge_base_agent.runner import Runner
from knowledge_base_agent.runs import SILENT_AFTER
from knowledge_base_agent.settings import Settings
from tests.road.conftest import OLGA, OTTO, VERA, asked
from tests.road.ledger import ALL, CHANGE, READ, WRITE

Kinds = Callable[..., list[str]]


def pending(runner: Runner, path: Path) -> Pending:
    outcome = runner.ask(asked(WRITE, path))
    assert isinstance(outcome, Pending)
    return outcome


def test_a_preview_changes_nothing_and_a_confirmation_runs_it(
    runner: Runner, ledger: Path, audit_kinds: Kinds
) -> None:
    preview = pending(runner, ledger)
    assert not ledger.exists()
    ended = runner.execute(runner.confirm(preview.confirmation_id, OLGA))
    assert ended.report.text == "wrote one line"
    # The effect itself saw its run and its audit entry committed.
    assert ledger.read_text() == "written, 1 started, True\n"
    audit_kinds("previewed", "confirmed", "started", "ended")


def test_a_second_click_is_told_who_confirmed_and_nothing_runs_again(
    runner: Runner, ledger: Path
) -> None:
    preview = pending(runner, ledger)
    runner.execute(runner.confirm(preview.confirmation_id, OLGA))
    with pytest.raises(TooLate, match=r"Olga confirmed this at .* it is op-1 and runs only once"):
        runner.confirm(preview.confirmation_id, OTTO)
    assert len(ledger.read_text().splitlines()) == 1


def test_a_cancelled_preview_never_runs(runner: Runner, ledger: Path, audit_kinds: Kinds) -> None:
    preview = pending(runner, ledger)
    settled = runner.cancel(preview.confirmation_id, OTTO)
    assert (settled.state, settled.by_name) == ("cancelled", "Otto")
    with pytest.raises(TooLate, match="Otto cancelled this"):
        runner.confirm(preview.confirmation_id, OLGA)
    assert not ledger.exists()
    audit_kinds("previewed", "cancelled", "too late")


def test_an_expired_preview_never_runs_and_is_settled_once(
    runner: Runner, deployment: Deployment, ledger: Path, audit_kinds: Kinds
) -> None:
    preview = pending(runner, ledger)
    runner.placed(preview.confirmation_id, place="C9", message="17.5")
    with writing(deployment.engine) as connection:
        connection.execute(update(CONFIRMATIONS).values(expires_at=utc_now()))
    with pytest.raises(TooLate, match="expired"):
        runner.confirm(preview.confirmation_id, OTTO)
    (settled,) = runner.expire_due()
    assert (settled.state, settled.place, settled.message) == ("expired", "C9", "17.5")
    assert runner.expire_due() == ()
    assert not ledger.exists()


def test_a_viewer_can_neither_preview_nor_confirm_and_both_are_recorded(
    runner: Runner, ledger: Path, audit_kinds: Kinds
) -> None:
    with pytest.raises(Refused):
        runner.ask(asked(WRITE, ledger, VERA))
    audit_kinds("refused")
    preview = pending(runner, ledger)
    with pytest.raises(Refused, match="you may look but not change"):
        runner.confirm(preview.confirmation_id, VERA)
    audit_kinds("refused", "previewed", "refused")
    runner.execute(runner.confirm(preview.confirmation_id, OTTO))
    assert ledger.exists()


def test_a_confirmation_survives_a_restart_of_the_bot(
    runner: Runner, road_settings: Settings, ledger: Path
) -> None:
    preview = pending(runner, ledger)
    other = open_deployment(road_settings)
    try:
        after_restart = Runner(other, ALL)
        after_restart.execute(after_restart.confirm(preview.confirmation_id, OTTO))
    finally:
        other.close()
    assert len(ledger.read_text().splitlines()) == 1


def test_nothing_to_do_asks_for_no_confirmation(
    runner: Runner, tmp_path: Path, audit_kinds: Kinds
) -> None:
    assert isinstance(runner.ask(asked(WRITE, tmp_path / "nothing")), Report)
    audit_kinds("answered")


def test_an_unknown_confirmation_is_a_clear_answer(runner: Runner) -> None:
    with pytest.raises(NotFound, match="Ask for the operation again"):
        runner.confirm("no-such-id", OTTO)


def test_a_problem_while_running_is_recorded_and_reported(
    runner: Runner, tmp_path: Path, deployment: Deployment
) -> None:
    preview = pending(runner, tmp_path / "problem")
    ended = runner.execute(runner.confirm(preview.confirmation_id, OTTO))
    assert not ended.report.succeeded
    assert "The file is gone. Choose another." in ended.report.text
    with reading(deployment.engine) as connection:
        assert connection.execute(select(RUNS.c.state)).scalar_one() == "failed"


def test_a_defect_while_running_gives_the_person_a_reference_and_no_secret(
    runner: Runner, tmp_path: Path, deployment: Deployment, capfd: pytest.CaptureFixture[str]
) -> None:
    preview = pending(runner, tmp_path / "defect")
    ended = runner.execute(runner.confirm(preview.confirmation_id, OTTO))
    reference = ended.report.text.partition("(reference ")[2][:8]
    assert reference
    assert reference in "".join(capfd.readouterr())
    assert "hunter2" not in ended.report.text
    with reading(deployment.engine) as connection:
        details = connection.execute(select(AUDIT.c.detail)).scalars().all()
    assert not any("hunter2" in detail for detail in details)


def test_a_change_is_recorded_before_its_effect(
    runner: Runner, ledger: Path, audit_kinds: Kinds
) -> None:
    runner.ask(asked(CHANGE, ledger))
    assert ledger.read_text() == "written, 1 started, True\n"
    audit_kinds("requested", "started", "ended")


def test_without_a_database_nothing_is_changed_but_a_question_is_answered(
    ledger: Path, tmp_path: Path
) -> None:
    nowhere = tmp_path / "missing.sqlite3"
    settings = Settings(database_url=f"sqlite:///{nowhere}", operators=("UOTTO",))
    opened = open_deployment(settings)
    runner = Runner(opened, ALL)
    try:
        with pytest.raises(Away, match="migrate"):
            runner.ask(asked(CHANGE, ledger))
        assert not ledger.exists()
        ledger.write_text("all is well")
        outcome = runner.ask(asked(READ, ledger))
        assert isinstance(outcome, Report)
        assert outcome.text == "all is well"
    finally:
        opened.close()


def test_why_a_question_could_not_be_answered_is_gone_with_whoever_heard_it(
    runner: Runner, ledger: Path
) -> None:
    def away(*_: object) -> Report:
        raise Away("The shelf does not answer.", "Look at the shelf.", source="the shelf")

    def raised() -> "weakref.ref[Away]":
        try:
            runner.ask(asked(replace(READ, answer=away), ledger))
        except Away as problem:
            return weakref.ref(problem)
        raise AssertionError("it was answered")

    gc.collect()
    gc.disable()
    try:
        assert raised()() is None, "only the collector, which stops all threads, would find it"
    finally:
        gc.enable()


def test_a_run_whose_process_is_gone_is_announced_once_and_never_run_again(
    runner: Runner, deployment: Deployment, ledger: Path
) -> None:
    preview = pending(runner, ledger)
    claimed = runner.confirm(preview.confirmation_id, OTTO)
    assert runner.declare_interrupted() == ()
    with writing(deployment.engine) as connection:
        connection.execute(update(RUNS).values(beat_at=utc_now() - 2 * SILENT_AFTER))
    (found,) = runner.declare_interrupted()
    assert (found.id, found.actor_name) == (claimed.run_id, "Otto")
    assert runner.declare_interrupted() == ()
    assert not ledger.exists()
    with reading(deployment.engine) as connection:
        told = select(AUDIT.c.run_id).where(AUDIT.c.kind == "interrupted")
        assert connection.execute(told).scalar_one() == claimed.run_id


def test_words_with_a_secret_are_redacted_in_the_audit(
    runner: Runner, deployment: Deployment, ledger: Path
) -> None:
    request = replace(asked(CHANGE, ledger), words="change token=abc123secret")
    runner.ask(request)
    with reading(deployment.engine) as connection:
        words = connection.execute(select(AUDIT.c.words)).scalars().all()
    assert not any("abc123secret" in one for one in words)


def test_the_audit_names_what_a_preview_has_frozen(
    runner: Runner, deployment: Deployment, ledger: Path
) -> None:
    pending(runner, ledger)
    with reading(deployment.engine) as connection:
        detail = connection.execute(select(AUDIT.c.detail)).scalar_one()
    assert f"[path: {ledger}; beside: ledger]" in detail


def test_a_change_that_fails_is_recorded_once(
    runner: Runner, tmp_path: Path, audit_kinds: Kinds
) -> None:
    with pytest.raises(NotFound):
        runner.ask(asked(CHANGE, tmp_path / "problem"))
    audit_kinds("requested", "started", "ended")
