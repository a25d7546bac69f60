"""Rows are hidden, shown and freed while others write: the counters stay true."""

import threading
from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import Engine, event, insert

from knowledge_base_agent.records import states
from knowledge_base_agent.records.batches import write_entries
from knowledge_base_agent.records.clear_steps import Removal, steps
from knowledge_base_agent.records.cleared import bring_rows_back, free_rows
from knowledge_base_agent.records.clearing import clear
from knowledge_base_agent.records.database import open_engine, reading, writing
from knowledge_base_agent.records.hidden import locked_clearings, uncover
from knowledge_base_agent.records.hiding import hidden_of
from knowledge_base_agent.records.tables import TASK_COUNTS, TASKS
from tests.records.entries import entry, life, recorded
from tests.records.hidden import LATER, NOON_UTC, aside, hidden, hides_as_it_says
from tests.records.test_clearing import remember

MANY = 51_000
"""Enough for the count to be made before the lock, and put right under it."""


def nothing(engine: Engine) -> None:
    """Change nothing."""


def an_old_one_comes(engine: Engine) -> None:
    remember(engine, entry(states.SUCCESS, "another", at=-5))


def a_young_one_comes(engine: Engine) -> None:
    remember(engine, entry(states.SUCCESS, "another", at=20_000))


def old_ones_go(engine: Engine) -> None:
    clear(engine, states=["SUCCESS"], cutoff=NOON_UTC + timedelta(microseconds=100))


def hides_them(engine: Engine) -> None:
    clear(engine, states=["SUCCESS"], cutoff=LATER, aside="k9")


def others_come_back(engine: Engine) -> None:
    list(bring_rows_back(engine, "k9"))


def all_go_and_come_back(engine: Engine) -> None:
    clear(engine, states=["SUCCESS"], cutoff=LATER, aside="k9")
    list(bring_rows_back(engine, "k9"))


@pytest.mark.parametrize(
    ("change", "before", "hidden"),
    [
        (nothing, nothing, MANY),
        (an_old_one_comes, nothing, MANY + 1),
        (a_young_one_comes, nothing, MANY),
        (old_ones_go, nothing, MANY - 100),
        (others_come_back, hides_them, MANY),
        (all_go_and_come_back, nothing, MANY),
    ],
)
def test_what_changes_between_the_count_and_the_lock_is_counted(
    engine: Engine, change: Callable[[Engine], None], before: Callable[[Engine], None], hidden: int
) -> None:
    rows = [
        {"id": f"old-{n}", "name": "n", "state": "SUCCESS", "attempt": 0, "retries": 0}
        | {"updated_at": NOON_UTC + timedelta(microseconds=n)}
        for n in range(MANY)
    ]
    with writing(engine) as connection:
        connection.execute(insert(TASKS), rows)
        connection.execute(insert(TASK_COUNTS), {"state": "SUCCESS", "tasks": MANY})
    before(engine)
    beside = open_engine(engine.url.render_as_string(hide_password=False))
    changes = [change]

    def counted(*_: object) -> None:
        if changes:
            changes.pop()(beside)

    event.listen(engine, "checkin", counted)
    found = clear(engine, states=["SUCCESS"], cutoff=LATER, aside="k0")

    beside.dispose()
    assert (found, changes) == ({"SUCCESS": hidden}, [])
    recorded(engine)
    hides_as_it_says(engine)


def test_rows_that_another_clear_hides_meanwhile_are_left_to_it(engine: Engine) -> None:
    remember(engine, *(entry(states.SUCCESS, f"t{n}", at=n / 100) for n in range(450)))

    def hide_the_rest(_done: int) -> None:
        clear(engine, states=["SUCCESS"], cutoff=LATER, aside="k0")

    removed = clear(engine, states=["SUCCESS"], cutoff=LATER, told=hide_the_rest)["SUCCESS"]

    assert recorded(engine) == {}
    hides_as_it_says(engine)
    assert [step.back for step in bring_rows_back(engine, "k0")] == [450 - removed]


def test_recorder_clears_undos_and_frees_at_once_leave_the_counters_right(engine: Engine) -> None:
    def record() -> None:
        for n in range(60):
            with writing(engine) as connection:
                write_entries(connection, [*life(f"t-{n % 20}"), *life(f"u-{n}")])

    def undo() -> None:
        while recorder.is_alive():
            list(bring_rows_back(engine, "k0"))
            list(free_rows(engine, "k1"))

    recorder = threading.Thread(target=record)
    undoing = threading.Thread(target=undo)
    recorder.start()
    undoing.start()
    while recorder.is_alive():
        for kept in ("k0", "k1", None):
            clear(engine, states=["SUCCESS"], cutoff=LATER, aside=kept)
    recorder.join()
    undoing.join()

    assert set(recorded(engine)) <= {"SUCCESS"}
    hides_as_it_says(engine)


@pytest.mark.parametrize(("other", "left"), [("another bot", 1), ("an undo", 7)])
def test_who_frees_what_another_has_ended_meanwhile_removes_nothing_that_is_seen(
    engine: Engine, other: str, left: int
) -> None:
    hidden(engine)
    remember(engine, entry(states.SUCCESS, "late", at=5))
    with reading(engine) as connection:
        (one,) = hidden_of(connection, "k0")

    with steps(engine, Removal(state=one.state, cutoff=one.until, hidden=one)) as each:
        if other == "an undo":
            list(bring_rows_back(engine, "k0"))
        else:
            list(free_rows(engine, "k0"))
        removed = sum(step.removed for step in each)

    assert (removed, recorded(engine), aside(engine, TASKS)) == (0, {"SUCCESS": left}, left)


def test_a_hidden_row_that_is_freed_before_it_is_moved_aside_is_counted_once(
    engine: Engine,
) -> None:
    hidden(engine)
    with writing(engine) as connection:
        active = locked_clearings(connection)
        uncover(connection, active, [("freed", "SUCCESS", NOON_UTC)])

    hides_as_it_says(engine)
