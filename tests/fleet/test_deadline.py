"""Wall deadlines over calls that hang."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from knowledge_base_agent.fleet import deadline
from knowledge_base_agent.fleet.deadline import Deadline, Threads, Unknown
from knowledge_base_agent.problems import Away
from tests.waiting import wait_until


@pytest.fixture
def thaw() -> Iterator[threading.Event]:
    """What hanging calls wait for; set at the end, so that no thread outlives the test."""
    event = threading.Event()
    yield event
    event.set()


def test_a_call_that_hangs_is_left_at_the_deadline_and_delays_nobody_else(
    thaw: threading.Event,
) -> None:
    threads = Threads()
    started = time.monotonic()

    with pytest.raises(Away) as told:
        threads.within(Deadline.after(0.1), thaw.wait, source="the broker")
    assert threads.within(Deadline.after(5), lambda: "here", source="the broker") == "here"

    assert time.monotonic() - started < 1
    assert told.value.source == "the broker"
    assert told.value.what == "The broker did not answer in time."
    assert told.value.cure


def test_of_a_source_of_which_too_many_calls_hang_one_at_a_time_is_tried_until_it_answers(
    thaw: threading.Event,
) -> None:
    threads = Threads(abandoned_limit=2)
    for _ in range(3):  # the third is the one that is tried
        with pytest.raises(Away, match="did not answer in time"):
            threads.within(Deadline.after(0.02), thaw.wait, source="the broker")

    started = time.monotonic()
    with pytest.raises(Away, match="3 calls to the broker still hang"):
        threads.within(Deadline.after(30), thaw.wait, source="the broker")
    assert time.monotonic() - started < 1
    assert threads.within(Deadline.after(5), lambda: 1, source="the log store") == 1

    thaw.set()
    wait_until(lambda: _answers(threads, "the broker"), what="calls are taken again after the thaw")


def test_what_is_asked_while_one_call_is_tried_waits_whether_that_is_answered(
    thaw: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deadline, "SOON_SECONDS", 30.0)
    threads, back, tried = Threads(abandoned_limit=1), threading.Event(), threading.Event()
    with pytest.raises(Away, match="did not answer in time"):
        threads.within(Deadline.after(0.02), thaw.wait, source="the broker")

    def answered_late() -> bool:
        tried.set()
        return back.wait()

    with ThreadPoolExecutor() as people:
        first = people.submit(
            threads.within, Deadline.after(30), answered_late, source="the broker"
        )
        assert tried.wait(10)
        others = [people.submit(_answers, threads, "the broker") for _ in range(3)]
        back.set()
        assert first.result(10)
        assert all(other.result(10) for other in others)


def test_a_call_that_ends_without_an_answer_lets_the_next_be_tried(thaw: threading.Event) -> None:
    threads, over = Threads(abandoned_limit=1), threading.Event()

    def timed_out() -> None:
        over.wait()
        raise TimeoutError

    for call in (thaw.wait, timed_out):
        with pytest.raises(Away, match="did not answer in time"):
            threads.within(Deadline.after(0.3), call, source="the broker")
    with pytest.raises(Away, match="2 calls to the broker still hang"):
        threads.within(Deadline.after(30), thaw.wait, source="the broker")
    over.set()
    wait_until(lambda: _answers(threads, "the broker"), what="another one is tried")


def test_the_call_that_is_tried_is_not_refused_what_it_asks_of_the_same_source_itself(
    thaw: threading.Event,
) -> None:
    """A flush counts keys within one call, page by page: it was refused for ever once its store had been silent."""
    threads = Threads(abandoned_limit=1)
    with pytest.raises(Away, match="did not answer in time"):
        threads.within(Deadline.after(0.02), thaw.wait, source="the store")

    def page() -> int:
        return threads.within(Deadline.after(5), lambda: 7, source="the store")

    assert threads.within(Deadline.after(5), page, source="the store") == 7


def test_a_call_that_is_tried_and_never_ends_is_not_the_last(
    thaw: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deadline, "TRIED_AGAIN_SECONDS", 0.5)
    threads = Threads(abandoned_limit=1)
    for _ in range(2):
        with pytest.raises(Away, match="did not answer in time"):
            threads.within(Deadline.after(0.02), thaw.wait, source="the broker")
    assert not _answers(threads, "the broker")
    wait_until(lambda: _answers(threads, "the broker"), what="one more is tried")


def _answers(threads: Threads, source: str) -> bool:
    try:
        return threads.within(Deadline.after(5), lambda: True, source=source)
    except Away:
        return False


def test_parallel_questions_keep_every_answer_beside_the_one_that_is_unknown(
    thaw: threading.Event,
) -> None:
    def away() -> int:
        raise Away("The log store is gone.", "Start it.", source="the log store")

    def slow() -> int:
        thaw.wait()
        return 0

    started = time.monotonic()
    answers = Threads().gather(
        Deadline.after(0.2), {"the broker": slow, "the log store": away, "results": lambda: 7}
    )

    assert time.monotonic() - started < 1
    assert answers["results"] == 7
    assert answers["the log store"] == Unknown(reason="The log store is gone. Start it.")
    assert isinstance(answers["the broker"], Unknown)
    assert answers["the broker"].reason.startswith("The broker did not answer in time.")


def test_a_defect_of_ours_is_never_shown_as_unknown() -> None:
    with pytest.raises(ZeroDivisionError):
        Threads().gather(Deadline.after(5), {"the broker": lambda: 1 // 0})


def test_nothing_is_tried_when_no_time_is_left() -> None:
    tried: list[int] = []
    with pytest.raises(Away):
        Threads().within(Deadline.after(0), lambda: tried.append(1), source="the broker")
    assert not tried


def test_a_call_begun_ahead_runs_while_its_caller_does_something_else(
    thaw: threading.Event,
) -> None:
    threads = Threads()
    meanwhile = threading.Event()

    def answer() -> int:
        meanwhile.set()
        return 7

    coming = threads.ahead(Deadline.after(5), answer, source="the broker")
    assert meanwhile.wait(5), "nobody has waited for it yet"
    assert coming() == 7
    failing = threads.ahead(Deadline.after(5), lambda: 1 // 0, source="the broker")
    with pytest.raises(ZeroDivisionError):
        failing()
    hanging = threads.ahead(Deadline.after(0.02), thaw.wait, source="the broker")
    with pytest.raises(Away, match="did not answer in time"):
        hanging()


def test_many_calls_at_once_each_get_their_own_answer() -> None:
    threads = Threads()
    calls = {str(number): (lambda number=number: number * number) for number in range(50)}
    answers = threads.gather(Deadline.after(10), calls)
    assert answers == {str(number): number * number for number in range(50)}


def test_a_deadline_can_be_brought_forward_but_not_put_off() -> None:
    deadline = Deadline.after(10)
    assert deadline.at_most(1).remaining() <= 1
    assert deadline.at_most(60).at == deadline.at
    assert Deadline.after(-1).remaining() == 0
    assert Deadline.after(-1).expired
