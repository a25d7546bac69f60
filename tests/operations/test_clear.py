"""A clear removes what its preview showed, and never a row that is newer than its frozen cutoff."""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Engine, delete, select

from knowledge_base_agent.clock import utc_now
from knowledge_base_agent.records.batches import change_counts
from knowledge_base_agent.records.database import reading, writing
from knowledge_base_agent.records.hidden import locked_clearings, shown, spare, uncover
from knowledge_base_agent.records.tables import TASK_COUNTS, TASKS
from knowledge_base_agent.records.task_history import counts, counts_by_scan
from knowledge_base_agent.requests import Changed, Pending
from knowledge_base_agent.settings import Settings
from tests.operations.place import Shell, facts, notes, shell_on

ALONG = "; with the results, progress and logs, as far as there are any."
STILL = "; what they left may be there still, in part or all of it."


@pytest.fixture
def shell(database_url: str) -> Iterator[Shell]:
    """A shell on a database alone: a clear needs neither broker nor workers."""
    nowhere = dict.fromkeys(
        ("broker_url", "result_backend", "progress_url", "logs_url"), "redis://127.0.0.1:1/0"
    )
    settings = Settings.model_validate({"database_url": database_url, **nowhere})
    with shell_on(settings) as opened:
        yield opened


def add_rows(engine: Engine, state: str, at: datetime, number: int = 1, name: str = "old") -> None:
    with writing(engine) as connection:
        rows = [
            {
                "id": f"{name}-{state}-{n}", "name": "shop.pay", "state": state, "attempt": 1,
                "retries": 0, "updated_at": at,
            }
            for n in range(number)
        ]  # fmt: skip
        active = locked_clearings(connection)
        places = [(f"{name}-{state}-{n}", state, at) for n in range(number)]
        uncover(connection, active, places)  # as the recorder does
        connection.execute(TASKS.insert(), rows)
        spare(connection, active, places)
        found = connection.execute(select(TASK_COUNTS.c.tasks).where(TASK_COUNTS.c.state == state))
        if found.scalar_one_or_none() is None:
            connection.execute(TASK_COUNTS.insert().values(state=state, tasks=number))
        else:
            added = TASK_COUNTS.c.tasks + number
            connection.execute(
                TASK_COUNTS.update().where(TASK_COUNTS.c.state == state).values(tasks=added)
            )


def rows(engine: Engine) -> set[str]:
    with reading(engine) as connection:
        assert dict(counts(connection)) == dict(counts_by_scan(connection)), "counters are true"
        return set(connection.execute(select(TASKS.c.id).where(shown(connection))).scalars())


def test_a_clear_removes_old_rows_of_its_states_and_keeps_the_rest(shell: Shell) -> None:
    engine, now = shell.deployment.engine, utc_now()
    add_rows(engine, "FAILURE", now - timedelta(hours=30), 3)
    add_rows(engine, "SUCCESS", now - timedelta(hours=30), 2)
    add_rows(engine, "FAILURE", now - timedelta(hours=1), 1, name="new")
    preview = shell.previews("clear --status failure")
    assert preview.affected == 3
    assert facts(preview.report, "Rows")["FAILURE"] == 3
    assert f"3 FAILURE{ALONG} For 24 h `undo` can bring them back." in preview.report.text
    report = shell.confirms(preview)
    assert report.text == f"Cleared 3 rows: 3 FAILURE{STILL}"
    assert rows(engine) == {"old-SUCCESS-0", "old-SUCCESS-1", "new-FAILURE-0"}


def test_a_row_that_comes_after_the_preview_is_not_cleared(shell: Shell) -> None:
    engine = shell.deployment.engine
    add_rows(engine, "FAILURE", utc_now() - timedelta(seconds=1))
    preview = shell.previews("clear --older-than 0 --status FAILURE --reason test")
    add_rows(engine, "FAILURE", utc_now(), name="later")
    shell.confirms(preview)
    assert rows(engine) == {"later-FAILURE-0"}


def test_a_row_in_the_place_of_another_of_its_state_and_age_is_shown_before_it_is_cleared(
    shell: Shell,
) -> None:
    engine, at = shell.deployment.engine, utc_now() - timedelta(hours=30)
    add_rows(engine, "FAILURE", at, number=2)
    preview = shell.previews("clear --status FAILURE")
    with writing(engine) as connection:
        connection.execute(delete(TASKS).where(TASKS.c.id == "old-FAILURE-1"))
        change_counts(connection, Counter({"FAILURE": -1}))
    add_rows(engine, "FAILURE", at, name="another")
    what = "2 rows in FAILURE, as many as were shown, but others"
    with pytest.raises(Changed, match=what) as now:
        shell.confirms(preview)
    assert rows(engine) == {"old-FAILURE-0", "another-FAILURE-0"}
    assert isinstance(now.value.now, Pending)
    shell.confirms(now.value.now)
    assert rows(engine) == set()


def test_rows_of_tasks_that_a_worker_has_never_go_by_age_alone(shell: Shell) -> None:
    engine = shell.deployment.engine
    for state in ("STARTED", "PROGRESS", "RECEIVED", "RETRY", "SUCCESS", "REVOKED"):
        add_rows(engine, state, utc_now() - timedelta(days=9))
    preview = shell.previews("clear --older-than 7d")
    assert preview.affected == 2
    named = shell.previews("clear --older-than 7d --status PROGRESS")
    assert "Clearing a row stops no task" in notes(named.report)
    shell.confirms(named)
    assert "old-PROGRESS-0" not in rows(engine)


def test_a_dry_run_shows_and_asks_nothing(shell: Shell) -> None:
    add_rows(shell.deployment.engine, "SUCCESS", utc_now() - timedelta(hours=30))
    report = shell.asks("clear --dry-run")
    assert report.title == "Would clear 1 row"
    assert rows(shell.deployment.engine) == {"old-SUCCESS-0"}


def test_nothing_old_enough_asks_for_no_confirmation(shell: Shell) -> None:
    assert shell.asks("clear").title == "Nothing to clear"


def test_a_row_of_17_hours_is_not_older_than_24_in_any_time_zone(shell: Shell) -> None:
    # Naive timestamps once deleted rows of 17 h in UTC−8 (field notes).
    add_rows(shell.deployment.engine, "SUCCESS", utc_now() - timedelta(hours=17))
    assert shell.asks("clear --older-than 24").title == "Nothing to clear"


def test_many_rows_are_cleared_in_steps_with_progress(shell: Shell) -> None:
    add_rows(shell.deployment.engine, "SUCCESS", utc_now() - timedelta(hours=30), 3000)
    preview = shell.previews("clear --reason 'the month is over'")
    assert preview.affected == 3000
    assert "3,000 rows" in shell.confirms(preview).text
    assert rows(shell.deployment.engine) == set()
