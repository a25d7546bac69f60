"""What `scheduled`, `reserved` and the filters of `active` say of a worker that really holds tasks."""

from datetime import datetime, timedelta

from knowledge_base_agent.clock import utc_now
from knowledge_base_agent.report import Value
from tests.operations.place import Place, row_of
from tests.waiting import wait_until


def held(here: Place, words: str, task_id: str) -> None:
    wait_until(lambda: task_id in str(here.asks(words)), what=f"{words} shows {task_id}")


def _all_told(cells: tuple[Value, ...]) -> tuple[Value, ...]:
    return cells if None not in cells else ()


def test_a_task_that_waits_for_its_time_is_told_with_the_time_and_how_long_that_is(
    here: Place,
) -> None:
    later = here.send("add", 1, 2, countdown=1800)
    held(here, "scheduled", later)
    report = here.asks("scheduled-tasks")
    name, due_in, due_at, worker, queue = row_of(report, later).cells[:5]
    assert name == "history.add"
    assert isinstance(due_in, timedelta)
    assert timedelta(minutes=29) < due_in <= timedelta(minutes=30)
    assert isinstance(due_at, datetime)
    assert abs(due_at - utc_now() - due_in) < timedelta(seconds=5)
    assert str(worker).startswith("history-")
    assert queue == "celery"
    assert "1 of 1 worker answered" in report.text
    here.confirms(here.previews(f"revoke {later}"))


def test_prefetched_tasks_are_seen_though_they_are_in_no_list_of_the_broker(here: Place) -> None:
    ids = [here.send("sleep", 60) for _ in range(4)]
    held(here, "reserved", ids[-1])
    report = here.asks("reserved")
    # What became of it is written in steps behind what the worker says, and an answer may be shared
    # for a moment: one answer must have it all.
    waits, sent_at, taken_at = wait_until(
        lambda: _all_told(row_of(here.asks("reserved-tasks"), ids[-1]).cells[1:4]),
        what="it is told since when it waits",
    )
    assert isinstance(waits, timedelta)
    assert isinstance(sent_at, datetime)
    assert isinstance(taken_at, datetime)
    assert "1 of 1 worker answered" in report.text
    assert ids[0] not in str(report), "it runs, so it is not reserved"
    here.confirms(here.previews("revoke " + " ".join(ids) + " --terminate"))


def test_what_a_filter_hides_is_counted_so_that_hidden_is_not_taken_for_idle(here: Place) -> None:
    running = here.send("sleep", 60)
    held(here, "active", running)
    for fits in ("--name history.*", "--queue celery", "--worker history-*"):
        report = here.asks(f"active {fits}")
        assert running in str(report)
        assert "hides none" in report.text
    for hides in ("--name agent.*", "--queue other", "--worker nobody@*"):
        report = here.asks(f"active {hides}")
        assert running not in str(report)
        assert f"1 more is hidden by the filter {hides}" in report.text
    assert "filter" not in here.asks("active").text
    here.confirms(here.previews(f"revoke {running} --terminate"))
