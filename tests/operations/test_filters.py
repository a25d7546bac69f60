"""One grammar chooses tasks everywhere, and means the same on SQLite and PostgreSQL."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine

from knowledge_base_agent.clock import utc_now
from knowledge_base_agent.problems import Away, Misunderstood
from knowledge_base_agent.records.database import writing
from knowledge_base_agent.records.tables import TASKS
from knowledge_base_agent.records.task_filter import TaskFilter
from knowledge_base_agent.records.task_search import how_many, newest, reading_for
from knowledge_base_agent.report import Report, Table
from knowledge_base_agent.settings import Settings
from knowledge_base_agent.understand import understand
from tests.operations.place import Shell, shell_on


@pytest.fixture
def shell(database_url: str) -> Iterator[Shell]:
    """A shell on a database alone."""
    settings = Settings(database_url=database_url, broker_url="redis://127.0.0.1:1/0")
    with shell_on(settings) as opened:
        yield opened


def remember(engine: Engine, task_id: str, *, hours: float = 1, **more: Any) -> None:
    """Write one row whose state began this long ago."""
    row = {"name": "shop.pay", "state": "FAILURE", "attempt": 1, "retries": 0} | more
    at = utc_now() - timedelta(hours=hours)
    with writing(engine) as connection:
        connection.execute(TASKS.insert().values(id=task_id, updated_at=at, **row))


def found(report: Report) -> list[str]:
    """Return the ids of a report's table, in its order."""
    rows = [row for part in report.parts if isinstance(part, Table) for row in part.rows]
    return [str(row.cells[-1]) for row in rows]


def test_each_word_narrows_and_all_must_fit(shell: Shell) -> None:
    engine = shell.deployment.engine
    remember(engine, "aa-1", error_class="ValueError", error_message="no price", queue="agent")
    remember(engine, "aa-2", hours=30, state="SUCCESS", worker="w1@host", args_repr="('INV-7',)")
    remember(engine, "bb-3", hours=2, name="shop.ship", state="PENDING", queue="celery")
    for words, expected in {
        "": ["aa-1", "bb-3", "aa-2"],
        "--id aa": ["aa-1", "aa-2"],
        "--name shop.sh*": ["bb-3"],
        "--name shop.?ay --state success": ["aa-2"],
        "--state FAILURE --status PENDING": ["aa-1", "bb-3"],
        "--queue agent": ["aa-1"],
        "--worker w?@*": ["aa-2"],
        "--argument inv-7": ["aa-2"],
        "--error valueerror": ["aa-1"],
        "--error PRICE --since 90m": ["aa-1"],
        "--error-class Value": [],
        "--since 3h --until 90m": ["bb-3"],
        "--until 24": ["aa-2"],
    }.items():
        assert found(shell.asks(f"find {words}")) == expected, words


def test_a_name_is_matched_by_its_letters_as_they_are_and_by_no_other_sign(shell: Shell) -> None:
    engine = shell.deployment.engine
    for number, name in enumerate(("a%b", "a_b", "axb", "A_B", "a[x]b", "a\\b")):
        remember(engine, f"id-{number}", name=name)
    for glob, names in {
        "a_b": {"id-1"}, "a%b": {"id-0"}, "a[x]b": {"id-4"}, "a\\b": {"id-5"},
        "a?b": {"id-0", "id-1", "id-2", "id-5"}, "A*": {"id-3"},
    }.items():  # fmt: skip
        with reading_for(engine, 2) as connection:
            seen = {one.id for one in newest(connection, TaskFilter(name=glob), limit=9)}
        assert seen == names, glob


def test_a_text_is_searched_as_it_stands_so_that_it_cannot_be_a_pattern(shell: Shell) -> None:
    remember(shell.deployment.engine, "x", error_class="E", error_message="100% of [a] * done_")
    for words, hits in {"100%": 1, "[a]": 1, "* done_": 1, "1%0": 0, "d?ne": 0}.items():
        assert len(found(shell.asks(f"find --error '{words}'"))) == hits, words


def test_more_than_a_table_takes_is_capped_and_the_true_number_said(shell: Shell) -> None:
    at = utc_now()
    rows: list[dict[str, Any]] = [
        {"id": f"t-{n}", "name": "n", "state": "SUCCESS", "attempt": 1, "retries": 0, "updated_at": at}
        for n in range(150)
    ]  # fmt: skip
    with writing(shell.deployment.engine) as connection:
        connection.execute(TASKS.insert(), rows)
    report = shell.asks("find --name n")
    assert len(found(report)) == 100
    assert "150 tasks named n, the newest first" in report.text
    with reading_for(shell.deployment.engine, 2) as connection:
        assert how_many(connection, TaskFilter(), at_most=120) == 120, "counting has an end"


def test_a_search_that_takes_too_long_ends_and_says_what_is_quick(shell: Shell) -> None:
    slow = (
        "SELECT pg_sleep(5)" if shell.deployment.engine.dialect.name == "postgresql"
        else "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n"
    )  # fmt: skip
    with (
        pytest.raises(Away, match="not done after") as caught,
        reading_for(shell.deployment.engine, 0.2) as connection,
    ):
        connection.exec_driver_sql(slow).all()
    assert "--since" in caught.value.cure
    assert found(shell.asks("find")) == [], "the connection works on"


def test_an_unfinished_task_can_be_revoked_from_its_row_and_a_finished_one_cannot(
    shell: Shell,
) -> None:
    remember(shell.deployment.engine, "runs", state="STARTED")
    remember(shell.deployment.engine, "waits", hours=2, state="PENDING")
    remember(shell.deployment.engine, "ended", hours=3, state="SUCCESS")
    report = shell.asks("find")
    (table,) = [part for part in report.parts if isinstance(part, Table)]
    words = {str(row.cells[-1]): [action.words for action in row.actions] for row in table.rows}
    assert "revoke runs --terminate" in words["runs"]
    assert "revoke waits" in words["waits"]
    assert not any(one.startswith("revoke") for one in words["ended"])


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("find --id 3f*", "without * or ?"),
        ("find --state DONE", "one of PENDING"),
        ("find --since yesterday", "a number of hours"),
        ("find --worker", "--worker needs a value"),
        ("find --since", "--since needs a value"),
        ("find --nmae x", "is not something that find takes"),
    ],
)
def test_a_wrong_word_is_answered_with_what_is_allowed(words: str, said: str) -> None:
    with pytest.raises(Misunderstood) as caught:
        understand(words)
    assert said in caught.value.what
