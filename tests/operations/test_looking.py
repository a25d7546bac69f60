"""What stats, active, stuck and logs say of a deployment that really runs."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest

from knowledge_base_agent.clock import utc_now
from knowledge_base_agent.fleet.deadline import Deadline
from knowledge_base_agent.problems import Problem
from knowledge_base_agent.records.database import writing
from knowledge_base_agent.records.tables import TASKS
from knowledge_base_agent.report import Chart, Report
from tests.operations.place import Place, facts, notes, row_of, table
from tests.waiting import wait_until


def test_stats_tells_rows_workers_queues_memory_and_the_last_day(here: Place) -> None:
    ids = [here.send("add", 1, 2) for _ in range(3)]
    failed = here.send("fail", "hunter2")
    for one in ids:
        here.site.row_in(one, "SUCCESS")
    here.site.row_in(failed, "FAILURE")
    report = here.asks("stats")
    by_state = facts(report, "Rows by state")
    assert by_state["SUCCESS"] >= 3  # type: ignore[operator]
    assert by_state["FAILURE"] >= 1  # type: ignore[operator]
    (worker,) = table(report, "Workers").values()
    assert worker.cells[2] == 2, "its concurrency"
    assert set(table(report, "Queues")) >= {"celery", "agent"}
    (redis,) = table(report, "Redis").values()
    assert isinstance(redis.cells[1], int)
    (chart,) = [part for part in report.parts if isinstance(part, Chart)]
    assert sum(chart.series["SUCCESS"]) >= 3
    assert len(chart.categories) <= 20, "Slack draws no more"
    assert "1 of 1 worker answered" in report.text


def test_who_asks_for_stats_at_the_same_moment_gets_the_same_answer(here: Place) -> None:
    together = Barrier(10)

    def asks() -> Report:
        together.wait(10)
        return here.asks("stats")

    with ThreadPoolExecutor(10) as people:
        reports = [asked.result(20) for asked in [people.submit(asks) for _ in range(10)]]
    assert all("1 of 1 worker answered" in report.text for report in reports)
    assert len({report.taken_at for report in reports}) < 10, "each read all of it"


def test_stats_tells_how_long_the_oldest_message_waits(here: Place) -> None:
    here.send("add", 1, 1, queue="nobody-consumes-this")
    depth = here.deployment.fleet.queues.depths(Deadline.after(2)).named("nobody-consumes-this")
    assert depth is not None
    assert depth.oldest_at is not None, "a tracked app stamps its messages"
    row = table(here.asks("stats"), "Queues")["nobody-consumes-this"]
    assert isinstance(row.cells[4], timedelta)


def test_a_running_task_is_active_with_its_worker_and_age_and_two_buttons(here: Place) -> None:
    running = here.send("sleep", 60)
    wait_until(lambda: running in here.asks("active").text + str(here.asks("active")))
    report = here.asks("active")
    row = row_of(report, running)
    name, age, worker, queue = row.cells[:4]
    assert name == "history.sleep"
    assert isinstance(age, timedelta)
    assert timedelta(0) <= age < timedelta(minutes=1)
    assert str(worker).startswith("history-")
    assert queue == "celery"
    assert [action.label for action in row.actions] == ["Logs", "Revoke"]
    assert "1 of 1 worker answered" in report.text
    here.confirms(here.previews(f"revoke {running} --terminate"))


def test_a_task_that_runs_too_long_is_stuck_and_a_younger_one_is_not(here: Place) -> None:
    running = here.send("sleep", 60)
    wait_until(lambda: running in str(here.asks("stuck --longer-than 0s")))
    assert running not in str(here.asks("stuck --longer-than 1h"))
    row = row_of(here.asks("stuck --longer-than 0s"), running)
    assert "running longer than 0 s" in str(row.cells[2])
    assert [action.label for action in row.actions] == ["Revoke", "Logs"]
    here.confirms(here.previews(f"revoke {running} --terminate"))


def test_a_row_that_no_worker_has_is_orphaned_not_stuck(here: Place) -> None:
    began = utc_now() - timedelta(minutes=5)
    here.leave_the_mailbox_of("gone@host")
    with writing(here.deployment.engine) as connection:
        connection.execute(
            TASKS.insert().values(
                id="lost-1", name="history.sleep", state="STARTED", attempt=1, retries=0,
                worker="gone@host", started_at=began, updated_at=began,
            )
        )  # fmt: skip
    report = here.asks("stuck")
    assert "1 orphaned" in report.text
    row = row_of(report, "lost-1")
    assert "no worker has it" in str(row.cells[2])
    assert row.actions[0].words == "revoke lost-1", "there is nothing left to terminate"
    assert "no process left to stop" in notes(report)


def test_logs_shows_the_last_lines_redacted(here: Place) -> None:
    told = here.send("tell", 5, 0.0)
    here.site.row_in(told, "SUCCESS")
    wait_until(lambda: "counted with" in str(here.asks(f"logs {told}")))
    report = str(here.asks(f"logs {told} -n 3"))
    assert "abc123secret" not in report
    assert "step 1" not in report, "only the last three lines were asked for"


def test_logs_of_a_task_that_logged_nothing_say_so(here: Place) -> None:
    assert "no log lines" in here.asks("logs no-such-task").text


@pytest.mark.parametrize("words", ["logs *", "logs a/b", "revoke ../x", "revoke *"])
def test_a_pattern_is_no_task_id(here: Place, words: str) -> None:
    with pytest.raises(Problem, match="no patterns"):
        here.asks(words)


def test_run_refuses_a_source_that_is_not_there(here: Place) -> None:
    with pytest.raises(Problem):
        here.asks("run /no/such/folder")
