"""An effect is begun and waited for, or given up and never begun: never a little of both."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from knowledge_base_agent.fleet.deadline import Deadline, Threads
from knowledge_base_agent.fleet.gate import Gate
from knowledge_base_agent.problems import Away


@pytest.fixture
def thaw() -> Iterator[threading.Event]:
    """What hanging calls wait for; set at the end, so that no thread outlives the test."""
    event = threading.Event()
    yield event
    event.set()


def test_an_effect_that_was_given_up_at_its_gate_is_never_begun(thaw: threading.Event) -> None:
    threads, gate, effects = Threads(), Gate(Deadline.after(0.1)), list[str]()
    ended = threading.Event()

    def call() -> None:
        try:
            thaw.wait()
            gate.enter()
            effects.append("done")
        finally:
            ended.set()

    with pytest.raises(Away, match="did not answer in time"):
        threads.within(Deadline.after(30), call, source="the broker", gate=gate)
    thaw.set()
    assert ended.wait(10)
    assert (effects, gate.passed) == ([], False)


def test_an_effect_that_has_begun_is_waited_for_beyond_its_gate(thaw: threading.Event) -> None:
    threads, gate = Threads(), Gate(Deadline.after(0.1))

    def call() -> str:
        gate.enter()
        while not gate.soon.expired:
            thaw.wait(0.02)
        return "done"

    assert threads.within(Deadline.after(30), call, source="the broker", gate=gate) == "done"


def test_an_effect_that_does_not_end_is_left_at_the_deadline(thaw: threading.Event) -> None:
    threads, gate = Threads(), Gate(Deadline.after(0.05))

    def call() -> None:
        gate.enter()
        thaw.wait()

    with pytest.raises(Away, match="did not answer in time"):
        threads.within(Deadline.after(0.2), call, source="the broker", gate=gate)
    assert gate.passed, "its asker knows that it may have been done"


def test_an_effect_and_giving_it_up_are_never_both_so() -> None:
    with ThreadPoolExecutor(2) as pool:
        for _ in range(300):
            gate, both = Gate(Deadline.after(0)), threading.Barrier(2)

            def enter(gate: Gate = gate, both: threading.Barrier = both) -> bool:
                both.wait(10)
                try:
                    gate.enter()
                except TimeoutError:
                    return False
                return True

            entered = pool.submit(enter)
            both.wait(10)
            assert gate.close() is not entered.result(10)
