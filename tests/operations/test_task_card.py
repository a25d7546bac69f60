"""One card tells what each source says of a task, and never fills a silence with a guess."""

from datetime import timedelta

import pytest
from sqlalchemy import update

from knowledge_base_agent.clock import utc_now
from knowledge_base_agent.problems import NotFound
from knowledge_base_agent.records.database import writing
from knowledge_base_agent.records.tables import TASKS
from knowledge_base_agent.report import Preformatted, Report
from tests.operations.place import Place, facts, notes, table
from tests.operations.test_filters import remember
from tests.waiting import wait_until


def says(report: Report) -> dict[str, str]:
    """Return what each source says."""
    return {name: str(row.cells[1]) for name, row in table(report, "What each says").items()}


def texts(report: Report) -> str:
    """Return what keeps its lines."""
    return "\n".join(part.text for part in report.parts if isinstance(part, Preformatted))


def test_a_failed_task_shows_its_error_traceback_and_arguments_without_the_secret(
    here: Place,
) -> None:
    failed = here.send("fail", "hunter2", kwargs={}, root_id="root-1")
    here.site.row_in(failed, "FAILURE")
    report = here.asks(f"task {failed}")
    assert "history.fail: FAILURE" in report.text
    assert "ValueError" in report.text
    assert "hunter2" not in str(report.text), "what a message names as a secret is hidden"
    said = says(report)
    assert said["the database"].startswith("FAILURE since")
    assert said["the result backend"] == "FAILURE"
    assert said["the workers"] == "none that answered has it (1 of 1 worker answered)"
    assert said["the queues"].startswith("in none of")
    assert "raise ValueError" in texts(report)
    assert facts(report, "From its row")["Root"] == "root-1"
    assert "disagree" not in report.text


def test_a_running_task_shows_where_it_runs_its_progress_and_its_last_lines(here: Place) -> None:
    running = here.send("tell", 3, 60.0)
    wait_until(lambda: "all counted" in notes(here.asks(f"task {running}")), within=15)
    report = here.asks(f"task {running}")
    assert "active on history-" in says(report)["the workers"]
    assert says(report)["the result backend"] == "STARTED"
    assert "3/3" in notes(report)
    wait_until(lambda: "step 3" in texts(here.asks(f"task {running}")))
    assert f"revoke {running} --terminate" in [action.words for action in report.actions]
    here.confirms(here.previews(f"revoke {running} --terminate"))


def test_a_pending_result_is_unknown_and_a_row_without_a_worker_is_orphaned(here: Place) -> None:
    remember(here.deployment.engine, "lost-card", state="STARTED", worker="gone@host")
    report = here.asks("task lost-card")
    assert says(report)["the result backend"].startswith("unknown: it has nothing")
    assert "it is orphaned" in notes(report)
    assert "the sources disagree" in report.text


def test_a_row_that_says_success_while_a_worker_runs_the_task_is_a_contradiction(
    here: Place,
) -> None:
    running = here.send("sleep", 60, task_id="twice-given")
    here.site.row_in(running, "STARTED")
    at = utc_now() - timedelta(minutes=5)
    with writing(here.deployment.engine) as connection:
        ended = update(TASKS).where(TASKS.c.id == running)
        connection.execute(ended.values(state="SUCCESS", updated_at=at))
    report = here.asks(f"task {running}")
    assert "The row says SUCCESS, and yet history-" in notes(report)
    assert report.actions[1].words == f"revoke {running} --terminate"
    here.confirms(here.previews(f"revoke {running} --terminate"))


def test_the_tasks_that_it_started_are_listed(here: Place) -> None:
    remember(here.deployment.engine, "mother", hours=2, state="SUCCESS")
    remember(here.deployment.engine, "child", state="FAILURE", parent_id="mother")
    assert "child" in str(table(here.asks("task mother"), "Tasks it started"))


def test_an_id_that_nobody_knows_is_said_to_be_unknown_to_all(here: Place) -> None:
    with pytest.raises(NotFound, match="Nobody knows"):
        here.asks("task 00000000-0000-0000-0000-000000000000")
