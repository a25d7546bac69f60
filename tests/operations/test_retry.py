"""A retry sends the same work again under a new id, once, and says of each task what came of it."""

import contextlib
import json
import re
from collections.abc import Sequence

import pytest
from redis import Redis
from sqlalchemy import Engine

from knowledge_base_agent.problems import Away, Misunderstood, NotFound
from knowledge_base_agent.records.database import reading, writing
from knowledge_base_agent.records.task_message_tables import TASK_MESSAGES
from knowledge_base_agent.records.task_messages import kept_messages
from knowledge_base_agent.report import Report, Table
from knowledge_base_agent.settings import Settings
from knowledge_base_agent.understand import understand
from tests.operations.place import Place, notes, shell_on, table
from tests.operations.test_filters import remember
from tests.waiting import wait_until


def retried(report: Report) -> dict[str, str]:
    """Return which id became which."""
    found = report.data["retried"]
    assert isinstance(found, dict)
    return found


def kept(here: Place, ids: Sequence[str]) -> bool:
    """Tell whether the messages of all these tasks are recorded."""
    with reading(here.deployment.engine) as connection:
        return set(kept_messages(connection, ids)) == set(ids)


def keep(engine: Engine, task_id: str, name: str, *args: object) -> None:
    """Keep a message, as the recorder does."""
    said = {"task": name, "args": args, "kwargs": {}, "limits": [None, None]}
    with writing(engine) as connection:
        row = {"id": task_id, "queue": "celery", "message": json.dumps(said)}
        connection.execute(TASK_MESSAGES.insert(), row)


def test_a_task_is_sent_again_from_its_message_and_never_from_its_redacted_repr(
    here: Place,
) -> None:
    old = here.send("add", 1, 2, kwargs={"api_key": "k-12345"}, time_limit=77)
    here.site.row_in(old, "SUCCESS")
    preview = here.previews(f"retry {old}")
    assert preview.affected == 1
    assert "that work is done twice" in notes(preview.report)
    assert "k-12345" not in str(preview.report)
    report = here.confirms(preview)
    assert report.succeeded, report
    new = retried(report)[old]
    row = here.site.row_in(new, "SUCCESS")
    assert (row.parent_id, row.root_id, row.time_limit) == (old, old, 77)
    wait_until(lambda: kept(here, [new]))
    with reading(here.deployment.engine) as connection:
        assert kept_messages(connection, [new])[new].kwargs == {"api_key": "k-12345"}
    assert f"sent again, as {new}" in notes(here.asks(f"task {old}"))
    assert f"It is {old}, sent again" in notes(here.asks(f"task {new}"))


def test_two_people_who_retry_the_same_tasks_send_them_once(here: Place) -> None:
    old = here.send("fail", "twice")
    here.site.row_in(old, "FAILURE")
    first, second = here.previews(f"retry {old}"), here.previews(f"retry {old}")
    claimed = here.claims(here.previews(f"retry --id {old}"))
    new = retried(here.confirms(first))[old]
    assert f"sent it again meanwhile, as {new}" in here.finds_changed(second).what
    report = here.executes(claimed)
    assert not report.succeeded
    why, which = table(report, "Old and new")["not sent"].cells[1:3]
    # Of two that may have sent it the one that asks is not meant: so also after its process was killed.
    assert re.fullmatch(rf"op-\d+ sent it again meanwhile, as {new}", str(why))
    assert (which, claimed.run_id in str(why)) == (old, False)
    with pytest.raises(NotFound, match=f"sent again already, as {new}"):
        here.asks(f"retry {old}")
    assert here.previews(f"retry {old} --again").affected == 1


def test_retry_these_sends_the_failures_of_a_group_at_the_asked_rate(here: Place) -> None:
    engine = here.deployment.engine
    for number in range(3):
        remember(engine, f"group-{number}", name="history.add", error_class="OddError")
        keep(here.deployment.engine, f"group-{number}", "history.add", number, 1)
    row = next(
        row
        for row in table(here.asks("failures"), "Failures").values()
        if row.cells[1] == "OddError"
    )
    button = next(action for action in row.actions if action.label == "Retry these")
    preview = here.previews(f"{button.words} --rate 10/s")
    assert preview.affected == 3
    new = list(retried(here.confirms(preview)).values())
    times = [here.site.row_in(one, "SUCCESS").published_at for one in new]
    known = sorted(at for at in times if at is not None)
    assert len(known) == 3
    assert (known[2] - known[0]).total_seconds() > 0.18


def test_without_a_message_the_extended_result_serves_and_else_it_is_refused_with_the_cure(
    here: Place,
) -> None:
    engine = here.deployment.engine
    remember(engine, "bare", name="history.add")
    remember(engine, "extended", name="history.add", queue="celery")
    with pytest.raises(NotFound) as caught:
        here.asks("retry bare")
    assert "its message was not kept" in caught.value.what
    assert "KB_KEEP_MESSAGES=1" in caught.value.cure
    meta = {"status": "FAILURE", "name": "history.add", "args": [5, 6], "kwargs": {}}
    with contextlib.closing(Redis.from_url(here.site.settings.result_backend)) as client:
        client.set("celery-task-meta-extended", json.dumps(meta))
    report = here.confirms(here.previews("retry bare extended"))
    new = retried(report)["extended"]
    assert here.site.row_in(new, "SUCCESS").args_repr == "[5, 6]"


def test_only_names_that_a_worker_knows_are_sent(here: Place) -> None:
    remember(here.deployment.engine, "nobody", name="history.nope")
    keep(here.deployment.engine, "nobody", "history.nope")
    with pytest.raises(NotFound, match=r"knows a task named history\.nope"):
        here.asks("retry nobody")


def test_a_task_that_runs_is_not_sent_again_and_one_that_is_orphaned_is(here: Place) -> None:
    running = here.send("sleep", 60)
    here.site.row_in(running, "STARTED")
    wait_until(lambda: kept(here, [running]))
    with pytest.raises(NotFound, match="it has not ended: STARTED"):
        here.asks(f"retry {running}")
    here.confirms(here.previews(f"revoke {running} --terminate"))
    remember(here.deployment.engine, "orphan", name="history.add", state="STARTED")
    keep(here.deployment.engine, "orphan", "history.add", 1, 1)
    preview = here.previews("retry orphan")
    assert "not ended by the rows" in notes(preview.report)
    here.site.row_in(retried(here.confirms(preview))["orphan"], "SUCCESS")


def test_a_task_that_changed_after_the_preview_is_not_sent(here: Place) -> None:
    remember(here.deployment.engine, "moves", name="history.add")
    keep(here.deployment.engine, "moves", "history.add", 1, 1)
    preview = here.previews("retry --id moves")
    claimed = here.claims(here.previews("retry --id moves"))
    with writing(here.deployment.engine) as connection:
        connection.exec_driver_sql("UPDATE tasks SET state = 'SUCCESS' WHERE id = 'moves'")
    assert "was FAILURE when this was previewed" in here.finds_changed(preview).what
    report = here.executes(claimed)
    (lines,) = [part for part in report.parts if isinstance(part, Table)]
    assert "it was FAILURE when this was previewed, and is SUCCESS" in str(lines.rows)
    assert retried(report) == {}


def test_a_rate_at_which_a_run_would_last_for_days_is_refused(here: Place) -> None:
    for number in range(2):
        remember(here.deployment.engine, f"slow-{number}", name="history.add", queue="slowly")
        keep(here.deployment.engine, f"slow-{number}", "history.add", 1, 1)
    with pytest.raises(Misunderstood, match="take 10 h"):
        here.asks("retry --queue slowly --rate 0.1/h")


def test_without_a_broker_nothing_is_previewed(database_url: str) -> None:
    settings = Settings(database_url=database_url, broker_url="redis://127.0.0.1:1/0")
    with shell_on(settings) as shell:
        remember(shell.deployment.engine, "x", name="history.add")
        keep(shell.deployment.engine, "x", "history.add", 1, 1)
        with pytest.raises(Away, match="broker"):
            shell.asks("retry x")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("retry", "Give ids of tasks, or words that choose them"),
        ("retry abc --name x", "Give ids of tasks, or words that choose them"),
        ("retry --state STARTED", "only ended tasks"),
        ("retry abc --rate fast", "a number a second"),
        ("retry abc --rate 0/s", "a number a second"),
    ],
)
def test_what_would_be_too_much_is_not_understood(words: str, said: str) -> None:
    with pytest.raises(Misunderstood) as caught:
        understand(words)
    assert said.lower() in caught.value.what.lower()
