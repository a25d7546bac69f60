"""How a preview ends: by whom, whether in time, and that whatever became of it is told and recorded once."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any, NoReturn

import pytest
from msgspec.structs import replace
from sqlalchemy import select, update

from knowledge_base_agent import confirmations
from knowledge_base_agent.clock import utc_now
from knowledge_base_agent.deployment import Deployment
from knowledge_base_agent.operations.operation import AnyOperation, Preview, given
from knowledge_base_agent.problems import Away, NotFound, Refused, TooLate
from knowledge_base_agent.records.database import reading, writing
from knowledge_base_agent.records.road_tables import CONFIRMATIONS
from knowledge_base_agent.report import Report
from knowledge_base_agent.requests import Changed, Claimed, Pending
from knowledge_base_agent.runner import Runner
from knowledge_base_agent.scope import Scope
from tests.road.conftest import OLGA, OTTO, asked
from tests.road.ledger import WRITE, LedgerArguments, LedgerTarget, beside

Kinds = Callable[..., list[str]]


def shown(runner: Runner, path: Path, names: str = "a b") -> Pending:
    beside(path).write_text(names)
    pending = runner.ask(asked(WRITE, path))
    assert isinstance(pending, Pending)
    return pending


def expire(deployment: Deployment) -> None:
    with writing(deployment.engine) as connection:
        past = utc_now() - timedelta(seconds=1)
        connection.execute(update(CONFIRMATIONS).values(expires_at=past))


def targets(deployment: Deployment) -> dict[str, str]:
    with reading(deployment.engine) as connection:
        rows = connection.execute(select(CONFIRMATIONS.c.id, CONFIRMATIONS.c.target)).all()
    return {row.id: row.target for row in rows}


def test_what_is_left_of_a_target_is_kept_with_its_own_confirmation_alone(
    runner: Runner, deployment: Deployment, tmp_path: Path
) -> None:
    mine, other = shown(runner, tmp_path / "mine"), shown(runner, tmp_path / "other")
    before = targets(deployment)
    beside(tmp_path / "mine").write_text("a")
    claimed = runner.confirm(mine.confirmation_id, OTTO)
    after = targets(deployment)
    assert after[mine.confirmation_id] == claimed.target_json != before[mine.confirmation_id]
    assert after[other.confirmation_id] == before[other.confirmation_id]


def looking(deployment: Deployment, looks: list[str]) -> Runner:
    """Return a runner that notes each look at what would be touched now."""
    look = given(WRITE.again)

    def again(deployment: Deployment, target: LedgerTarget) -> Preview[LedgerTarget]:
        looks.append(target.path)
        return look(deployment, target)

    return Runner(deployment, (replace(WRITE, again=again),))


def test_an_expired_preview_is_not_even_looked_at_again(
    deployment: Deployment, ledger: Path, audit_kinds: Kinds
) -> None:
    looks: list[str] = []
    runner = looking(deployment, looks)
    pending = shown(runner, ledger)
    expire(deployment)
    with pytest.raises(TooLate, match="expired"):
        runner.confirm(pending.confirmation_id, OTTO)
    assert looks == []
    audit_kinds("previewed", "too late")


def test_a_cancelled_preview_is_not_even_looked_at_again(
    deployment: Deployment, ledger: Path, audit_kinds: Kinds
) -> None:
    looks: list[str] = []
    runner = looking(deployment, looks)
    pending = shown(runner, ledger)
    runner.cancel(pending.confirmation_id, OLGA)
    with pytest.raises(TooLate, match=r"Olga cancelled this at \d\d:\d\d:\d\d UTC"):
        runner.confirm(pending.confirmation_id, OTTO)
    assert looks == []
    audit_kinds("previewed", "cancelled", "too late")


def test_a_preview_that_can_be_confirmed_is_looked_at_once(
    deployment: Deployment, ledger: Path
) -> None:
    looks: list[str] = []
    runner = looking(deployment, looks)
    runner.execute(runner.confirm(shown(runner, ledger).confirmation_id, OTTO))
    assert looks == [str(ledger)]


def test_an_expiry_is_an_entry_and_so_is_a_cancel_that_came_too_late(
    runner: Runner, deployment: Deployment, ledger: Path, audit_kinds: Kinds
) -> None:
    pending = shown(runner, ledger)
    expire(deployment)
    assert len(runner.expire_due()) == 1
    with pytest.raises(TooLate):
        runner.cancel(pending.confirmation_id, OTTO)
    audit_kinds("previewed", "expired", "too late")


def test_a_refusal_at_the_second_look_is_recorded_as_a_refusal(
    runner: Runner, deployment: Deployment, ledger: Path, audit_kinds: Kinds
) -> None:
    pending = shown(runner, ledger)

    def refuse(*_: object) -> NoReturn:
        raise Refused("This queue is protected by now.", "Ask an admin.")

    later = Runner(deployment, (replace(WRITE, again=refuse),))
    with pytest.raises(Refused, match="protected by now"):
        later.confirm(pending.confirmation_id, OTTO)
    audit_kinds("previewed", "refused")


def test_what_has_changed_is_told_with_what_to_do_and_without_where_nothing_is_left(
    runner: Runner, tmp_path: Path
) -> None:
    more, gone = shown(runner, tmp_path / "more"), shown(runner, tmp_path / "gone")
    beside(tmp_path / "more").write_text("a b c")
    with pytest.raises(Changed) as changed:
        runner.confirm(more.confirmation_id, OTTO)
    assert changed.value.cure == "Look at what it would touch now, and confirm that."
    beside(tmp_path / "gone").write_text("")
    with pytest.raises(Changed) as changed:
        runner.confirm(gone.confirmation_id, OTTO)
    assert changed.value.cure == ""


def test_only_what_is_overdue_expires(runner: Runner, deployment: Deployment, ledger: Path) -> None:
    pending = shown(runner, ledger)
    assert runner.expire_due() == ()
    with writing(deployment.engine) as connection, pytest.raises(TooLate):
        confirmations.expire(connection, pending.confirmation_id)
    runner.execute(runner.confirm(pending.confirmation_id, OTTO))


def flowing(number: int | None) -> AnyOperation:
    """Return the operation with a queue that holds so many messages, whenever it is looked at."""

    def look(deployment: Deployment, arguments: LedgerArguments | LedgerTarget) -> Preview[Any]:
        return Preview(
            target=LedgerTarget(path=arguments.path),
            report=Report(title="ledger", text="would write one line"),
            scope=Scope(flows={"messages in a": number}),
            affected=1,
        )

    return replace(WRITE, preview=look, again=look)


def clicked(
    deployment: Deployment, ledger: Path, before: AnyOperation, later: AnyOperation
) -> Claimed:
    request = replace(asked(WRITE, ledger), operation=before)
    pending = Runner(deployment, (before,)).ask(request)
    assert isinstance(pending, Pending)
    return Runner(deployment, (later,)).confirm(pending.confirmation_id, OTTO)


def test_a_queue_that_grew_a_little_is_run_and_one_that_grew_much_is_shown_anew(
    deployment: Deployment, ledger: Path
) -> None:
    # Each on a ledger of its own: what is asked for again while it runs is told that it runs already.
    assert clicked(deployment, ledger.with_name("same"), flowing(5), flowing(5)).run_id
    assert clicked(deployment, ledger.with_name("more"), flowing(5), flowing(15)).run_id
    with pytest.raises(Changed, match="50 messages in a, 5 were shown"):
        clicked(deployment, ledger, flowing(5), flowing(50))


def test_as_many_messages_again_are_other_messages_and_no_repetition(
    deployment: Deployment, ledger: Path
) -> None:
    runner = Runner(deployment, (flowing(5),))
    runner.execute(clicked(deployment, ledger, flowing(5), flowing(5)))
    again = runner.ask(replace(asked(WRITE, ledger), operation=flowing(5)))
    assert isinstance(again, Pending)


def test_what_could_be_counted_and_cannot_be_now_is_not_run(
    deployment: Deployment, ledger: Path
) -> None:
    with pytest.raises(Away, match="How many messages in a there are can't be told now"):
        clicked(deployment, ledger, flowing(5), flowing(None))


def test_what_is_found_nowhere_any_more_is_told_with_the_reason(
    deployment: Deployment, ledger: Path
) -> None:
    def gone(*_: object) -> NoReturn:
        raise NotFound("The queue is gone.", "Choose another.")

    with pytest.raises(Changed, match="Nothing of what was shown is left") as changed:
        clicked(deployment, ledger, flowing(5), replace(WRITE, again=gone))
    assert isinstance(changed.value.now, Report)
    assert "The queue is gone." in changed.value.now.text


def test_a_refusal_at_the_second_look_says_that_nothing_was_run(
    deployment: Deployment, ledger: Path
) -> None:
    def refuse(*_: object) -> NoReturn:
        raise Refused("This queue is protected by now.", "Ask an admin.")

    with pytest.raises(Refused, match=r"protected by now\. So it was not run"):
        clicked(deployment, ledger, flowing(5), replace(WRITE, again=refuse))
