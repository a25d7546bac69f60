"""What a call returned or raised goes with whoever had it: the collector, which stops all threads, gets nothing."""

import gc
import weakref
from collections.abc import Iterator

import pytest

from knowledge_base_agent.fleet.deadline import Deadline, Threads
from knowledge_base_agent.fleet.shared import Shared
from knowledge_base_agent.problems import Away
from tests.waiting import wait_until


class Thing:
    """Something that a call returns."""


@pytest.fixture(autouse=True)
def _no_collector() -> Iterator[None]:
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def test_what_a_call_under_a_deadline_returned() -> None:
    threads = Threads()
    deadline = Deadline.after(10)
    seen = weakref.ref(threads.within(deadline, Thing, source="the shelf"))
    threads.within(deadline, Thing, source="the shelf")  # its thread has something else in hand
    wait_until(lambda: seen() is None, what="it is gone")


def test_what_a_shared_question_raised() -> None:
    shared: Shared[Thing] = Shared()

    def away() -> Thing:
        raise Away("The shelf does not answer.", "Look at the shelf.", source="the shelf")

    def raised() -> "weakref.ref[Away]":
        try:
            shared.get(Deadline.after(10), "key", away, not_older=0.25)
        except Away as problem:
            return weakref.ref(problem)
        raise AssertionError("it answered")

    assert raised()() is None
