"""The history of real tasks on a real prefork worker, as it reads in SQL."""

from datetime import UTC, datetime, timedelta

from redis import Redis

from knowledge_base_agent.clock import utc_now
from knowledge_base_agent.records.task_logs import read_logs
from knowledge_base_agent.records.task_progress import read_progress
from tests.records.deployment import Running
from tests.waiting import wait_until


def test_a_success_is_remembered_with_who_ran_it_and_when(deployment: Running) -> None:
    began = utc_now()
    task_id = deployment.send("add", 2, 3, kwargs={"password": "hunter2"})

    row = deployment.row_in(task_id, "SUCCESS")

    assert (row.name, row.queue, row.retries) == ("history.add", "celery", 0)
    assert row.worker is not None
    assert row.worker.startswith("history-")
    assert row.process_id
    told = [row.published_at, row.received_at, row.started_at, row.finished_at]
    times = [moment for moment in told if moment is not None]
    assert len(times) == 4
    assert times == sorted(times)
    assert began <= times[0] <= times[-1] <= utc_now()
    assert row.time_limit == 7200
    assert row.root_id == task_id
    assert row.args_repr is not None
    assert "(2, 3)" in row.args_repr
    assert "hunter2" not in row.args_repr
    assert not row.args_shortened
    assert row.error_class is None


def test_long_arguments_are_cut_and_said_to_be_cut(deployment: Running) -> None:
    row = deployment.row_in(deployment.send("add", 1, 2, kwargs={"text": "x" * 5000}), "SUCCESS")

    assert row.args_shortened
    assert len(row.args_repr or "") <= 800


def test_a_failure_is_remembered_with_its_traceback_and_without_the_secret(
    deployment: Running,
) -> None:
    row = deployment.row_in(deployment.send("fail", "s3cr3tvalue"), "FAILURE")

    assert row.error_class == "ValueError"
    assert "could not log in" in (row.error_message or "")
    assert "history_app.py" in (row.traceback or "")
    assert "s3cr3tvalue" not in f"{row.error_message}{row.traceback}{row.args_repr}".replace(
        "('s3cr3tvalue',)", ""
    )


def test_a_retry_shows_why_while_it_waits_and_success_clears_it(deployment: Running) -> None:
    task_id = deployment.send("fail_once", 1.5)

    waiting = deployment.row_in(task_id, "RETRY")
    done = deployment.row_in(task_id, "SUCCESS")

    assert (waiting.retries, waiting.error_class) == (1, "ConnectionError")
    assert waiting.finished_at is None
    assert (done.retries, done.error_class) == (1, None)
    assert done.published_at is not None
    assert done.published_at < waiting.updated_at < done.updated_at


def test_a_task_revoked_before_its_time_is_revoked_in_the_history(deployment: Running) -> None:
    task_id = deployment.send("add", 1, 1, countdown=2)
    waiting = deployment.row_in(task_id, "RECEIVED")
    deployment.app.control.revoke(task_id)

    row = deployment.row_in(task_id, "REVOKED")

    assert waiting.eta is not None
    assert waiting.eta > datetime.now(UTC) - timedelta(seconds=5)
    assert row.started_at is None
    assert row.error_message == "revoked"


def test_a_terminated_task_is_revoked_and_the_row_says_how(deployment: Running) -> None:
    task_id = deployment.send("sleep", 60)
    started = deployment.row_in(task_id, "STARTED")
    deployment.app.control.revoke(task_id, terminate=True)

    row = deployment.row_in(task_id, "REVOKED")

    assert "terminated" in (row.error_message or "")
    assert row.process_id == started.process_id


def test_a_hard_time_limit_is_a_failure_of_the_child_that_was_killed(deployment: Running) -> None:
    task_id = deployment.send("sleep", 60, time_limit=1)
    started = deployment.row_in(task_id, "STARTED")

    row = deployment.row_in(task_id, "FAILURE")

    assert row.error_class == "TimeLimitExceeded"
    assert row.time_limit == 1
    assert row.process_id == started.process_id


def test_a_killed_child_leaves_a_failure_and_not_a_task_that_runs_for_ever(
    deployment: Running,
) -> None:
    task_id = deployment.send("die")

    row = deployment.row_in(task_id, "FAILURE")

    assert row.error_class == "WorkerLostError"
    deployment.row_when(
        task_id, lambda row: row.started_at is not None, what="its start is known nevertheless"
    )


def test_a_task_that_never_lets_go_of_the_interpreter_is_shown_as_started(
    deployment: Running,
) -> None:
    task_id = deployment.send("backtrack", time_limit=4)

    row = deployment.row_in(task_id, "STARTED", within=3)

    assert row.process_id
    deployment.row_in(task_id, "FAILURE")


def test_a_rejected_or_ignored_task_does_not_look_as_if_it_still_ran(deployment: Running) -> None:
    rejected, ignored = deployment.send("reject"), deployment.send("ignore")

    # Celery itself counts a rejected message as a failure, after the task has said Reject.
    assert deployment.row_in(rejected, "FAILURE").error_class == "Reject"
    assert deployment.row_in(ignored, "REJECTED").error_message


def test_a_task_that_no_worker_knows_is_a_failure_and_does_not_wait_for_ever(
    deployment: Running,
) -> None:
    row = deployment.row_in(deployment.send("no_such_task"), "FAILURE")

    assert row.error_class == "NotRegistered"


def test_a_task_that_replaces_itself_ends_as_its_replacement_does(deployment: Running) -> None:
    row = deployment.row_in(deployment.send("replace"), "SUCCESS")

    assert row.error_message is None


def test_a_task_that_tells_its_progress_is_in_progress_with_numbers_and_lines(
    deployment: Running,
) -> None:
    task_id = deployment.send("tell", 3, 1.0)

    deployment.row_in(task_id, "PROGRESS")
    client = Redis.from_url(deployment.settings.progress_url, socket_timeout=1)
    shown = read_progress(client, [task_id])[task_id]
    deployment.row_in(task_id, "SUCCESS")

    assert (shown.done, shown.total, shown.phase) == (3, 3, "counting")
    assert shown.share == 1
    assert shown.updated_at is not None
    assert abs(utc_now() - shown.updated_at) < timedelta(seconds=30)


def test_what_a_task_said_last_is_written_though_it_talks_more_than_anyone_reads(
    deployment: Running,
) -> None:
    task_id = deployment.send("tell", 5_000, 0.0)
    deployment.row_in(task_id, "SUCCESS")
    progress = Redis.from_url(deployment.settings.progress_url, socket_timeout=1)
    logs = Redis.from_url(deployment.settings.logs_url, socket_timeout=1)

    wait_until(lambda: read_progress(progress, [task_id])[task_id].note == "all counted")
    last = wait_until(
        lambda: lines if "counted" in (lines := read_logs(logs, task_id))[-1].text else None
    )

    assert last is not None
    assert len(last) == 50
    assert last[-1].level == "WARNING"
    assert "abc123secret" not in last[-1].text
    assert last[-2].text == "step 5000"
    assert logs.llen(f"logs:{task_id}") == 1_000
    assert 0 < logs.ttl(f"logs:{task_id}") <= 7 * 24 * 3600
    assert read_progress(progress, [task_id])[task_id].done == 5_000
