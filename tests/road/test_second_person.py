"""Two people on the road: nothing runs on one person's word where two are needed, and each try is recorded."""

import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec.structs import replace
from sqlalchemy import select, update

from knowledge_base_agent.actors import Actor, shell_actor
from knowledge_base_agent.clock import utc_now
from knowledge_base_agent.deployment import Deployment
from knowledge_base_agent.glass import Told
from knowledge_base_agent.operations.stated import Stated
from knowledge_base_agent.operations.who_wanted import who_wanted
from knowledge_base_agent.problems import Problem, ReasonNeeded, Refused, TooLate
from knowledge_base_agent.records.database import reading, writing
from knowledge_base_agent.records.road_tables import AUDIT, CONFIRMATIONS
from knowledge_base_agent.requests import Pending
from knowledge_base_agent.runner import Runner
from knowledge_base_agent.runs import read_run
from knowledge_base_agent.watching.schedules import SCHEDULE
from tests.road.conftest import ADA, ANIKA, OLGA, OTTO, VERA, asked
from tests.road.ledger import WRITE

Kinds = Callable[..., list[str]]
REASON = Stated(reason="poisoned by deploy 42")
GLASS = Stated(break_glass="nobody answers")


def pending(runner: Runner, path: Path, stated: Stated = REASON, actor: Actor = OTTO) -> Pending:
    outcome = runner.ask(replace(asked(WRITE, path, actor), stated=stated, repeat=True))
    assert isinstance(outcome, Pending)
    return outcome


def details(deployment: Deployment, kind: str) -> str:
    query = select(AUDIT.c.detail).where(AUDIT.c.kind == kind)
    with reading(deployment.engine) as connection:
        return "\n".join(connection.execute(query).scalars())


def wanted(deployment: Deployment, run_id: str) -> str:
    with reading(deployment.engine) as connection:
        return who_wanted(connection, read_run(connection, run_id))


def the_delay_is_over(deployment: Deployment) -> None:
    with writing(deployment.engine) as connection:
        connection.execute(update(CONFIRMATIONS).values(alone_from=utc_now()))


def test_a_different_admin_approves_and_it_runs_once_and_is_recorded_with_both_and_the_reason(
    runner: Runner, grave: Path, deployment: Deployment, audit_kinds: Kinds
) -> None:
    preview = pending(runner, grave)
    assert preview.terms.why_two == "it overwrites the ledger"
    claimed = runner.confirm(preview.confirmation_id, ADA)
    names = f"asked by {OTTO.name}, approved by {ADA.name}"
    assert wanted(deployment, claimed.run_id) == names
    assert (claimed.asked_by, claimed.reason) == ("Otto", "poisoned by deploy 42")
    runner.execute(claimed)
    with pytest.raises(TooLate, match="Ada confirmed this"):
        runner.confirm(preview.confirmation_id, ANIKA)
    assert len(grave.read_text().splitlines()) == 1
    audit_kinds("previewed", "approved", "started", "ended", "too late")
    said = details(deployment, "approved")
    assert "Asked by Otto. Of the top risk: it overwrites the ledger. Reason: poisoned" in said
    with reading(deployment.engine) as connection:
        row = connection.execute(select(CONFIRMATIONS)).mappings().one()
    assert (row["asked_by"], row["settled_by"]) == ("UOTTO", "UADA")
    assert row["reason"] == "poisoned by deploy 42"


@pytest.mark.parametrize(
    ("asker", "clicker", "why"),
    [
        (OTTO, OTTO, "You asked for this yourself"),
        (ADA, ADA, "You asked for this yourself"),
        (OTTO, OLGA, "Only an admin"),
        (OTTO, VERA, "you may look but not change"),
        (OTTO, shell_actor("otto"), "Only an admin"),
        (OTTO, SCHEDULE, "Only an admin"),
    ],
)
def test_a_click_that_does_not_count_is_refused_and_recorded_and_the_preview_stays(
    runner: Runner, grave: Path, audit_kinds: Kinds, asker: Actor, clicker: Actor, why: str
) -> None:
    preview = pending(runner, grave, actor=asker)
    with pytest.raises(Refused, match=why):
        runner.confirm(preview.confirmation_id, clicker)
    audit_kinds("previewed", "refused")
    assert not grave.exists()
    runner.execute(runner.confirm(preview.confirmation_id, ANIKA))
    assert grave.exists()


def test_without_a_reason_nothing_is_kept_that_could_be_approved(
    runner: Runner, grave: Path, deployment: Deployment, audit_kinds: Kinds
) -> None:
    with pytest.raises(
        ReasonNeeded, match=r"needs two people: it overwrites.*State a reason"
    ) as needed:
        runner.ask(asked(WRITE, grave))
    assert "would write one line" in needed.value.report.text
    audit_kinds("refused")
    with reading(deployment.engine) as connection:
        assert connection.execute(select(CONFIRMATIONS.c.id)).all() == []


def test_in_the_shell_a_reason_is_enough_and_the_audit_hears_of_it(
    runner: Runner, grave: Path, deployment: Deployment, audit_kinds: Kinds
) -> None:
    root = shell_actor("root")
    with pytest.raises(ReasonNeeded, match=r"of the top risk: it overwrites.*with --reason"):
        runner.ask(asked(WRITE, grave, root))
    for stated in (REASON, GLASS):
        preview = pending(runner, grave, stated, root)
        assert preview.terms.alone_from is None
        runner.execute(runner.confirm(preview.confirmation_id, root))
    assert len(grave.read_text().splitlines()) == 2
    assert "Reason: poisoned by deploy 42" in details(deployment, "confirmed")
    assert "Reason: nobody answers" in details(deployment, "previewed")


def test_where_one_is_enough_a_reason_is_recorded_and_changes_nothing(
    runner: Runner, ledger: Path, deployment: Deployment, audit_kinds: Kinds
) -> None:
    preview = pending(runner, ledger, GLASS)
    assert (preview.terms.why_two, preview.terms.alone_from) == ("", None)
    runner.execute(runner.confirm(preview.confirmation_id, OTTO))
    audit_kinds("previewed", "confirmed", "started", "ended")
    assert "Reason: nobody answers" in details(deployment, "confirmed")
    assert runner.alarms_due() == ()


def test_the_glass_is_told_at_once_and_breaks_after_the_delay_and_not_before(
    runner: Runner, grave: Path, deployment: Deployment, audit_kinds: Kinds
) -> None:
    preview = pending(runner, grave, GLASS)
    assert preview.terms.alone_from is not None
    assert preview.expires_at > preview.terms.alone_from
    audit_kinds("previewed", "breaking glass")
    assert "Reason: nobody answers" in details(deployment, "breaking glass")
    with pytest.raises(Refused, match=r"Not before \d\d:\d\d:\d\d UTC"):
        runner.confirm(preview.confirmation_id, OTTO)
    with pytest.raises(Refused, match="Only an admin"):
        runner.confirm(preview.confirmation_id, OLGA)
    assert not grave.exists()
    the_delay_is_over(deployment)
    with pytest.raises(Refused, match="Only an admin"):
        runner.confirm(preview.confirmation_id, OLGA)
    with pytest.raises(Refused, match="Only whoever asked for it can confirm it alone"):
        runner.confirm(preview.confirmation_id, ADA, alone=True)
    audit_kinds(
        "previewed", "breaking glass", *["refused"] * 4
    )  # they are written in the background
    runner.execute(runner.confirm(preview.confirmation_id, OTTO, alone=True))
    assert len(grave.read_text().splitlines()) == 1
    kinds = ["refused"] * 4 + ["broke glass", "started", "ended"]
    audit_kinds("previewed", "breaking glass", *kinds)


def test_anyone_on_call_stops_what_somebody_means_to_do_alone(
    runner: Runner, grave: Path, deployment: Deployment
) -> None:
    preview = pending(runner, grave, GLASS)
    with pytest.raises(Refused):
        runner.cancel(preview.confirmation_id, VERA)
    runner.cancel(preview.confirmation_id, OLGA)
    the_delay_is_over(deployment)
    with pytest.raises(TooLate, match="Olga cancelled this"):
        runner.confirm(preview.confirmation_id, OTTO)
    assert not grave.exists()


def test_each_thing_about_the_glass_is_told_by_one_bot_only(
    runner: Runner, grave: Path, deployment: Deployment
) -> None:
    preview = pending(runner, grave, GLASS)
    (first,) = runner.alarms_due()
    assert first.told is Told.ASKED
    assert first.confirmation.reason == "nobody answers"
    assert runner.alarms_due() == ()
    runner.alarm_told(first, channel="CALERT", message="17.5")
    the_delay_is_over(deployment)
    (second,) = runner.alarms_due()
    assert second.told is Told.OPEN
    assert runner.alarms_due() == ()
    runner.alarm_told(second)
    runner.execute(runner.confirm(preview.confirmation_id, OTTO))
    (third,) = runner.alarms_due()
    assert (third.told, third.channel, third.message) == (Told.OVER, "CALERT", "17.5")
    assert third.confirmation.run_id == "op-1"
    runner.alarm_told(third)
    assert runner.alarms_due() == ()


def test_a_glass_that_is_stopped_at_once_is_told_all_the_same(runner: Runner, grave: Path) -> None:
    preview = pending(runner, grave, GLASS)
    runner.cancel(preview.confirmation_id, OTTO)
    (asked_first,) = runner.alarms_due()
    assert asked_first.told is Told.ASKED
    runner.alarm_told(asked_first)
    assert [one.told for one in runner.alarms_due()] == [Told.OVER]


def approve(
    runner: Runner,
    confirmation_id: str,
    together: threading.Barrier,
    ended: list[str],
    admin: Actor,
) -> None:
    together.wait(10)
    try:
        claimed = runner.confirm(confirmation_id, admin)
    except Problem as problem:
        ended.append(type(problem).__name__)
        return
    runner.execute(claimed)
    ended.append("ran")


def test_two_admins_who_approve_at_the_same_moment_start_one_run(
    runner: Runner, tmp_path: Path, deployment: Deployment
) -> None:
    for number in range(20):
        path = tmp_path / f"{number}grave"
        preview = pending(runner, path)
        together = threading.Barrier(2)
        ended: list[str] = []

        waits = (runner, preview.confirmation_id, together, ended)
        both = [threading.Thread(target=approve, args=(*waits, one)) for one in (ADA, ANIKA)]
        for thread in both:
            thread.start()
        for thread in both:
            thread.join(30)
        assert sorted(ended) == ["TooLate", "ran"]
        assert len(path.read_text().splitlines()) == 1
