"""One card tells what each source says of a task, and never fills a silence with a guess."""

import contextlib
from datetime import timedelta

import pytest
from redis import Redis
from sqlalchemy import update

from knowledge_base_agent.clock import utc_now
from knowledge_base_agent.problems import NotFound
from knowledge_base_agent.records.database import writing
from knowledge_base_agent.records.tables import TASKS
from knowledge_base_agent.report import Preformatted, Report, Table
from knowledge_base_agent.settings import Settings
from tests.operations.place import Place, facts, notes, shell_on, table
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
    here.leave_the_mailbox_of("gone@host")
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


def test_an_id_cut_short_or_in_capitals_is_answered_with_the_line_that_finds_it(
    here: Place,
) -> None:
    """Read off a phone's screen at night, an id is its first digits, or all of it in the wrong case."""
    remember(here.deployment.engine, "3f2a9c1e-0d5b-4c8e-9f4e-1a2b3c4d5e6f", state="SUCCESS")
    for typed in ("3f2a9c1e", "3F2A9C1E-0D5B-4C8E-9F4E-1A2B3C4D5E6F", "3f2a9c1e-0d5b"):
        for words in (f"task {typed}", f"revoke {typed}"):
            with pytest.raises(NotFound) as refused:
                here.asks(words)
            assert "`find --id 3f2a9c1e`" in refused.value.cure, words
        assert "`find --id 3f2a9c1e`" in notes(here.asks(f"logs {typed}"))
    assert "3f2a9c1e-0d5b" in str(here.asks("find --id 3f2a9c1e").parts)
    with pytest.raises(NotFound) as refused:
        here.asks("task Nightly.report")
    assert "`find --id Nightly.report`" in refused.value.cure, (
        "a name of somebody's own stays as it is"
    )


def test_a_pickled_or_huge_result_is_unknown_and_never_decoded(here: Place) -> None:
    stored = {"pickled": b"\x80\x04cos\nsystem\n.", "huge": b"[" + b"0," * 200_000 + b"0]"}
    with contextlib.closing(Redis.from_url(here.site.settings.result_backend)) as client:
        for one, raw in stored.items():
            remember(here.deployment.engine, one, state="SUCCESS")
            client.set(f"celery-task-meta-{one}", raw)
    assert "is not JSON" in says(here.asks("task pickled"))["the result backend"]
    assert "larger than is read" in says(here.asks("task huge"))["the result backend"]


def test_with_all_else_away_the_row_is_shown_in_time_and_the_rest_is_unknown(
    database_url: str,
) -> None:
    nowhere = dict.fromkeys(
        ("broker_url", "result_backend", "progress_url", "logs_url"), "redis://127.0.0.1:1/0"
    )
    settings = Settings.model_validate({"database_url": database_url, **nowhere})
    with shell_on(settings) as shell:
        remember(shell.deployment.engine, "seen", error_class="ValueError", error_message="no")
        began = utc_now()
        report = shell.asks("task seen")
        assert utc_now() - began < timedelta(seconds=3)
    assert "FAILURE since" in report.text
    (sources,) = [
        part
        for part in report.parts
        if isinstance(part, Table) and part.caption == "What each says"
    ]
    assert [row.cells[1] for row in sources.rows[1:]] == [None, None, None], "unknown, not empty"
    for source in ("The broker", "The result backend", "progress", "logs"):
        assert source in notes(report), source


def test_a_task_whose_message_a_purge_took_names_the_purge_and_what_brings_it_back(
    here: Place,
) -> None:
    purged = here.send("add", 1, 2, queue="mistaken")
    here.site.row_in(purged, "PENDING")
    assert "mistaken" in says(here.asks(f"task {purged}"))["the queues"]
    report = here.confirms(here.previews("purge --queue mistaken"))
    run = next(one.words.split()[1] for one in report.actions if one.label == "Undo")
    said = str(here.asks(f"task {purged}"))
    assert f"Its message was purged from mistaken by {run}, at " in said
    assert f"`undo {run}` brings it back" in said
    here.confirms(here.previews(f"undo {run}"))
    assert "was purged from" not in str(here.asks(f"task {purged}"))


def test_what_a_purge_kept_nothing_of_is_not_laid_to_any_purge(here: Place) -> None:
    purged = here.send("add", 1, 2, queue="mistaken")
    here.site.row_in(purged, "PENDING")
    here.confirms(here.previews("purge --queue mistaken --no-undo"))
    assert "was purged from" not in str(here.asks(f"task {purged}"))
