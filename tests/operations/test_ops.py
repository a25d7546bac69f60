"""`ops`: what goes on, what nobody knows the end of, and what a person does about it."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import update

from knowledge_base_agent.clock import utc_now
from knowledge_base_agent.problems import NotFound, ReasonNeeded, TooLate
from knowledge_base_agent.records.database import reading, writing
from knowledge_base_agent.records.road_tables import CONFIRMATIONS, RUNS
from knowledge_base_agent.requests import Claimed
from knowledge_base_agent.runner import Runner
from knowledge_base_agent.runs import SILENT_AFTER, State, read_run
from knowledge_base_agent.settings import Settings
from tests.operations.place import Shell, notes, shell_on, table
from tests.operations.test_clear import add_rows, rows

STILL = "; what they left may be there still, in part or all of it."


@pytest.fixture
def shell(database_url: str) -> Iterator[Shell]:
    """A shell on a database alone."""
    nowhere = dict.fromkeys(
        ("broker_url", "result_backend", "progress_url", "logs_url"), "redis://127.0.0.1:1/0"
    )
    with shell_on(Settings.model_validate({"database_url": database_url, **nowhere})) as opened:
        yield opened


def begun(shell: Shell, number: int = 3) -> Claimed:
    """Confirm a clear of some rows, and let nobody execute it."""
    add_rows(shell.deployment.engine, "FAILURE", utc_now() - timedelta(hours=30), number)
    return shell.claims(shell.previews("clear --status failure"))


def broken_off(shell: Shell, number: int = 3) -> Claimed:
    """The same, and its process is gone."""
    claimed = begun(shell, number)
    with writing(shell.deployment.engine) as connection:
        connection.execute(update(RUNS).values(beat_at=utc_now() - 2 * SILENT_AFTER))
    Runner(shell.deployment).declare_interrupted()
    return claimed


def state(shell: Shell, run: str) -> State:
    with reading(shell.deployment.engine) as connection:
        return read_run(connection, run).state


def test_without_any_run_it_says_so(shell: Shell) -> None:
    assert shell.asks("ops").text == "Nothing was changed in the last 24 h."


def test_what_goes_on_stands_first_then_what_is_unknown_then_the_rest(shell: Shell) -> None:
    shell.executes(begun(shell))
    broken_off(shell)
    add_rows(shell.deployment.engine, "REVOKED", utc_now() - timedelta(hours=30))
    shell.claims(shell.previews("clear --status revoked"))
    report = shell.asks("ops")
    found = table(report, "Runs")
    assert list(found) == ["op-3", "op-2", "op-1"]
    assert [row.cells[2] for row in found.values()] == [
        "started", "interrupted: what it did is unknown", "succeeded",
    ]  # fmt: skip
    assert "1 going on, 1 interrupted" in report.text
    assert found["op-1"].cells[6] == f"Cleared 3 rows: 3 FAILURE{STILL}"
    assert [one.words for one in found["op-2"].actions] == ["ops resume op-2", "ops abandon op-2"]
    assert not found["op-1"].actions


def test_runs_of_long_ago_are_shown_when_asked_for_and_never_more_than_asked_for(
    shell: Shell,
) -> None:
    for _ in range(3):
        shell.executes(begun(shell))
    with writing(shell.deployment.engine) as connection:
        old = {
            "started_at": utc_now() - timedelta(days=2),
            "ended_at": utc_now() - timedelta(days=2),
        }
        connection.execute(update(RUNS).where(RUNS.c.number < 3).values(old))
    assert list(table(shell.asks("ops"), "Runs")) == ["op-3"]
    assert list(table(shell.asks("ops --all"), "Runs")) == ["op-3", "op-2", "op-1"]
    report = shell.asks("ops --all -n 2")
    assert list(table(report, "Runs")) == ["op-3", "op-2"]
    assert "3 runs: 0 going on, 0 interrupted; 2 are shown." in report.text


def test_what_is_left_of_an_interrupted_run_is_shown_and_confirmed_before_anything_runs(
    shell: Shell,
) -> None:
    broken_off(shell)
    engine = shell.deployment.engine
    with engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM tasks WHERE id = 'old-FAILURE-0'")
        connection.exec_driver_sql("UPDATE task_counts SET tasks = tasks - 1")
    add_rows(engine, "FAILURE", utc_now() - timedelta(hours=1), name="newer")
    preview = shell.previews("ops resume op-1")
    assert preview.affected == 2, "by the cutoff that was frozen then"
    assert "What is left of op-1 (`clear --status failure`, by tester" in notes(preview.report)
    assert len(rows(engine)) == 3
    assert shell.confirms(preview).text == f"Cleared 2 rows: 2 FAILURE{STILL}"
    assert rows(engine) == {"newer-FAILURE-0"}
    assert state(shell, "op-1") is State.RESUMED
    assert "continued as op-2 by tester" in str(table(shell.asks("ops"), "Runs")["op-1"].cells)
    with pytest.raises(NotFound, match="op-1 is not interrupted: it stands as resumed"):
        shell.previews("ops resume op-1")


def test_what_is_not_left_to_be_done_needs_no_confirmation(shell: Shell) -> None:
    claimed = broken_off(shell)
    shell.executes(claimed)  # its process lived after all, and came to the end
    assert state(shell, "op-1") is State.SUCCEEDED
    with pytest.raises(NotFound, match="is not interrupted: it stands as succeeded"):
        shell.asks("ops resume op-1")


def test_a_resumed_run_that_is_interrupted_too_is_resumed_from_what_is_left_then(
    shell: Shell,
) -> None:
    broken_off(shell)
    claimed = shell.claims(shell.previews("ops resume op-1"))
    with writing(shell.deployment.engine) as connection:
        connection.execute(update(RUNS).values(beat_at=utc_now() - 2 * SILENT_AFTER))
    Runner(shell.deployment).declare_interrupted()
    assert shell.confirms(shell.previews(f"ops resume {claimed.run_id}")).text.startswith(
        "Cleared 3"
    )
    assert rows(shell.deployment.engine) == set()


def test_what_needed_two_people_is_not_resumed_on_the_word_of_one(shell: Shell) -> None:
    add_rows(shell.deployment.engine, "FAILURE", utc_now() - timedelta(hours=30), 3)
    shell.claims(shell.previews("clear --older-than 0 --status failure --reason test"))
    with writing(shell.deployment.engine) as connection:
        connection.execute(update(RUNS).values(beat_at=utc_now() - 2 * SILENT_AFTER))
    Runner(shell.deployment).declare_interrupted()
    with pytest.raises(ReasonNeeded, match="op-1 needed two people: it clears rows of any age"):
        shell.asks("ops resume op-1")
    assert shell.confirms(shell.previews("ops resume op-1 --reason test")).succeeded


def test_who_asked_and_who_approved_are_named_to_whoever_goes_on_with_it(shell: Shell) -> None:
    add_rows(shell.deployment.engine, "FAILURE", utc_now() - timedelta(hours=30), 3)
    shell.claims(shell.previews("clear --older-than 0 --status failure --reason test"))
    with writing(shell.deployment.engine) as connection:
        connection.execute(update(RUNS).values(beat_at=utc_now() - 2 * SILENT_AFTER))
        otto = {"asked_by": "T1/U1", "asked_by_name": "otto"}
        connection.execute(update(CONFIRMATIONS).values(otto))
    Runner(shell.deployment).declare_interrupted()
    preview = shell.previews("ops resume op-1 --reason test")
    assert "asked by otto, approved by tester at" in notes(preview.report)


def test_of_two_who_resume_the_same_run_one_does_it(shell: Shell) -> None:
    broken_off(shell)
    first, second = shell.previews("ops resume op-1"), shell.previews("ops resume op-1")
    shell.confirms(first)
    assert "is not interrupted" in shell.finds_changed(second).what


def test_an_abandoned_run_is_gone_on_with_by_nobody(shell: Shell) -> None:
    broken_off(shell)
    preview = shell.previews("ops resume op-1")
    report = shell.asks("ops abandon op-1")
    assert "Nobody will go on with op-1 (`clear --status failure`)" in report.text
    assert state(shell, "op-1") is State.ABANDONED
    assert "op-1 is not interrupted" in shell.finds_changed(preview).what
    with pytest.raises(NotFound, match="is not interrupted"):
        shell.asks("ops abandon op-1 --repeat")
    assert len(rows(shell.deployment.engine)) == 3
    assert "abandoned by tester" in str(table(shell.asks("ops"), "Runs")["op-1"].cells)


def test_a_run_that_goes_on_can_neither_be_resumed_nor_abandoned(shell: Shell) -> None:
    begun(shell)
    for words in ("ops resume op-1", "ops abandon op-1"):
        with pytest.raises(TooLate, match="op-1 has not ended"):
            shell.asks(words)
    with pytest.raises(NotFound, match="There is no run"):
        shell.asks("ops resume op-77")
