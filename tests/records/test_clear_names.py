"""Whose rows a clear would remove is told however many they are, or is said to be unknown: never to be nobody's."""

import contextlib
from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import Engine, text

from knowledge_base_agent.records import clear_names, portions
from knowledge_base_agent.records.clear_names import NamesToClear, names_to_clear
from knowledge_base_agent.records.clearing import clear, how_many_to_clear
from knowledge_base_agent.records.database import open_engine, reading_one_moment, writing
from knowledge_base_agent.records.task_filter import TaskFilter
from tests.records.hidden import LATER, NOON_UTC
from tests.records.test_portions import a_millisecond_a_row, fill

FEW = 20
DEADLINE = 0.8


@pytest.fixture(autouse=True)
def small_portions(monkeypatch: pytest.MonkeyPatch) -> None:
    """Portions that a few rows fill."""
    monkeypatch.setattr(clear_names, "_PORTION", FEW)
    monkeypatch.setattr(portions, "_TURN", FEW)


def named(engine: Engine, number: int, name: str, queue: str | None) -> None:
    """Give one row of `fill` this name and queue."""
    with writing(engine) as connection:
        connection.execute(
            text("UPDATE tasks SET name = :name, queue = :queue WHERE id = :id"),
            {"name": name, "queue": queue, "id": f"t-{number}"},
        )


def names(engine: Engine, wanted: TaskFilter = TaskFilter()) -> NamesToClear:  # noqa: B008
    with reading_one_moment(engine) as connection:
        found = names_to_clear(connection, (), LATER, wanted)
        assert how_many_to_clear(connection, (), NOON_UTC) == 0, "the transaction can go on"
    return found


@contextlib.contextmanager
def slow(url: str, number: int) -> Iterator[Engine]:
    """Lend a server that needs a millisecond for each row of a history, and ends what takes longer than it may."""
    patient = open_engine(url, deadline=60)
    fill(patient, iter(range(number)))
    named(patient, number - 1, "shop.pay", "orders")
    a_millisecond_a_row(patient)
    engine = open_engine(url, deadline=DEADLINE)
    try:
        yield engine
    finally:
        for one in (engine, patient):
            one.dispose()


def test_the_names_of_all_portions_and_of_what_is_seen_alone(engine: Engine) -> None:
    many = 5 * FEW
    fill(engine, iter(range(many)))
    named(engine, 0, "hidden", "q0")
    named(engine, FEW, "shop.pay", "q1")
    named(engine, many - 1, "last", "q2")
    gone = clear(engine, states=["SUCCESS"], cutoff=NOON_UTC + timedelta(seconds=1), aside="k0")
    assert gone == {"SUCCESS": 1}
    assert names(engine) == NamesToClear(
        tasks=frozenset({"n", "shop.pay", "last"}),
        queues=frozenset({None, "q1", "q2"}),
        complete=True,
    )
    only = names(engine, TaskFilter(name="shop.*"))
    assert only.tasks == {"shop.pay"}
    assert only.complete


def test_more_rows_than_one_statement_may_read_are_all_read(postgres_url: str) -> None:
    with slow(postgres_url, 1_000) as engine:
        found = names(engine)
    assert found == NamesToClear(
        tasks=frozenset({"n", "shop.pay"}), queues=frozenset({None, "orders"}), complete=True
    )


@pytest.mark.parametrize(("portion", "within"), [(10_000, 10.0), (FEW, 0.1)])
def test_what_can_not_be_read_in_time_is_unknown(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch, portion: int, within: float
) -> None:
    monkeypatch.setattr(clear_names, "_PORTION", portion)
    monkeypatch.setattr(clear_names, "_WITHIN", within)
    with slow(postgres_url, 1_000) as engine:
        found = names(engine)
    assert not found.complete
    assert "shop.pay" not in found.tasks
