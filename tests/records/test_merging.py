"""Entries in any order: the row must end as the task ended."""

import random

from hypothesis import given
from hypothesis import strategies as st

from knowledge_base_agent.records import states
from knowledge_base_agent.records.merging import TaskRow, apply
from knowledge_base_agent.records.stream import Entry
from tests.records.entries import NOON, SECOND, entry, life


def row_after(entries: list[Entry]) -> TaskRow:
    row = TaskRow(id="task")
    for one in entries:
        apply(row, one)
    return row


def shown(row: TaskRow) -> tuple[object, ...]:
    times = (row.published_at, row.received_at, row.started_at, row.finished_at, row.updated_at)
    return (row.state, row.retries, row.attempt, row.redelivered, *times)


def test_a_start_that_is_told_late_does_not_undo_the_end() -> None:
    pending, received, started, success = life("task")

    row = row_after([success, received, started, pending])

    assert row.state == "SUCCESS"
    assert row.started_at == started.at
    assert row.finished_at == success.at


def test_a_publisher_whose_clock_is_four_hours_ahead_does_not_make_a_done_task_pending() -> None:
    _, received, started, success = life("task")
    pending = entry(states.PENDING, "task", at=4 * 3600)

    assert row_after([received, started, success, pending]).state == "SUCCESS"
    assert row_after([pending, received, started]).state == "STARTED"


def test_a_retry_stays_a_retry_until_it_starts_again() -> None:
    first = life("task")[:3]
    again = [
        entry(states.PENDING, "task", at=4, retries=1),
        entry(states.RETRY, "task", at=4.1, retries=1, error_class="OSError", error_message="x"),
        entry(states.RECEIVED, "task", at=5, retries=1),
    ]
    started = entry(states.STARTED, "task", at=9, retries=1)

    waiting, running = row_after(first + again), row_after([*first, *again, started])

    assert (waiting.state, waiting.started_at, waiting.error_class) == ("RETRY", None, "OSError")
    assert (running.state, running.started_at) == ("STARTED", NOON + 9 * SECOND)


def test_a_message_that_is_delivered_again_shows_that_it_runs_again() -> None:
    again = [
        entry(states.RECEIVED, "task", at=9, redelivered=True, worker="other@host"),
        entry(states.STARTED, "task", at=10, redelivered=True, worker="other@host"),
    ]

    row = row_after(life("task") + again)

    assert (row.state, row.worker, row.finished_at) == ("STARTED", "other@host", None)
    assert row.redelivered


def test_a_success_after_a_retry_no_longer_shows_the_old_error() -> None:
    error = {"error_class": "OSError", "error_message": "x", "traceback": "…"}
    retry = entry(states.RETRY, "task", at=4, retries=1, **error)
    success = entry(states.SUCCESS, "task", at=9, retries=1)

    for order in ([retry, success], [success, retry]):
        assert row_after(order).error_class is None


def test_whoever_tells_it_first_the_arguments_and_the_parent_are_known() -> None:
    pending = entry(states.PENDING, "task", args_repr="(1,)", parent_id="p", queue="agent")
    started = entry(states.STARTED, "task", at=1)

    for order in ([pending, started], [started, pending]):
        row = row_after(order)
        assert (row.args_repr, row.parent_id, row.queue) == ("(1,)", "p", "agent")


runs = st.builds(
    entry,
    st.sampled_from(states.STATES),
    st.just("task"),
    at=st.integers(0, 50),
    retries=st.integers(0, 3),
    redelivered=st.booleans(),
    nesting=st.integers(0, 1),
)


@given(st.lists(runs, min_size=1, max_size=25), st.randoms())
def test_every_order_of_the_same_entries_ends_in_the_same_state(
    entries: list[Entry], chance: random.Random
) -> None:
    once = shown(row_after(entries))
    shuffled = entries * 2
    chance.shuffle(shuffled)

    again = shown(row_after(shuffled))

    # Two ends of one run at the very same moment are a draw; which of them is kept may differ.
    assert again[1:] == once[1:]
    assert states.RANK[str(again[0])] == states.RANK[str(once[0])]
