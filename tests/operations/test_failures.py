"""Failures of one kind are one line, with the words that choose exactly them."""

from collections.abc import Iterator

import pytest

from knowledge_base_agent.settings import Settings
from tests.operations.place import Shell, shell_on, table
from tests.operations.test_filters import found, remember


@pytest.fixture
def shell(database_url: str) -> Iterator[Shell]:
    """A shell on a database alone: the broker may be dead."""
    settings = Settings(database_url=database_url, broker_url="redis://127.0.0.1:1/0")
    with shell_on(settings) as opened:
        yield opened


def test_failures_are_counted_by_task_and_exception_with_first_last_and_a_sample(
    shell: Shell,
) -> None:
    engine = shell.deployment.engine
    for number in range(3):
        remember(
            engine, f"pay-{number}", hours=1 + number, error_class="ValueError",
            error_message=f"no price {number}",
        )  # fmt: skip
    remember(engine, "ship", name="shop.ship", error_class="OSError", error_message="disk full")
    remember(engine, "old", hours=30, error_class="ValueError", error_message="long ago")
    remember(engine, "fine", state="SUCCESS")
    report = shell.asks("failures")
    assert "4 failures of 2 kinds in the last 1 d" in report.text
    rows = table(report, "Failures")
    assert rows["shop.pay"].cells[1:3] == ("ValueError", 3)
    first, last, sample = rows["shop.pay"].cells[3:]
    assert first < last  # type: ignore[operator]
    assert sample == "no price 0"
    assert "disk full" in str(rows["shop.ship"])


def test_the_find_button_of_a_line_chooses_exactly_its_tasks(shell: Shell) -> None:
    engine = shell.deployment.engine
    remember(engine, "this", error_class="ValueError", error_message="x")
    remember(engine, "other-class", error_class="MyValueError", error_message="ValueError: x")
    remember(engine, "other-task", name="shop.pay2", error_class="ValueError", error_message="x")
    row = next(
        row
        for row in table(shell.asks("failures"), "Failures").values()
        if row.cells[:2] == ("shop.pay2", "ValueError")
    )
    assert found(shell.asks(row.actions[0].words)) == ["other-task"]
    assert found(shell.asks("find --name shop.pay --error-class ValueError")) == ["this"]


def test_no_failures_is_said_of_the_rows_and_not_of_the_world(shell: Shell) -> None:
    report = shell.asks("failures --since 2h")
    assert report.text == "The rows know no failures in the last 2 h."
    assert "No recorder has ever run" in str(report.parts), "who is to have written them"
