"""Blocking calls: bounded, given up in time, and never in the way of the event loop."""

import asyncio
import threading
import time
from functools import partial

import pytest

from bot import threads as module
from bot.threads import Threads
from knowledge_base_agent.problems import Away
from tests.waiting import await_until


async def test_what_a_call_returns_and_raises_comes_through() -> None:
    threads = Threads(2, "test")
    assert await threads.call(lambda: 42) == 42
    with pytest.raises(ZeroDivisionError):
        await threads.call(partial(divmod, 1, 0))


async def test_a_call_that_hangs_is_given_up_and_said_to_be_so() -> None:
    threads, over = Threads(2, "test"), threading.Event()
    with pytest.raises(Away, match=r"no answer within 0\.05 s"):
        await threads.call(over.wait, within=0.05)
    assert threads.busy == 1
    over.set()
    await await_until(lambda: threads.busy == 0, what="the thread is free again")


async def test_too_many_hanging_calls_are_refused_at_once() -> None:
    threads, over = Threads(2, "test"), threading.Event()
    hanging = [asyncio.create_task(threads.call(over.wait)) for _ in range(2)]
    await await_until(lambda: threads.busy == 2, what="both hang")
    with pytest.raises(Away, match="2 earlier questions"):
        await threads.call(lambda: 1)
    over.set()
    await asyncio.gather(*hanging)
    assert await threads.call(lambda: 1) == 1


async def test_many_questions_take_turns_and_none_is_refused_for_being_one_of_many() -> None:
    threads = Threads(4, "test")
    asked = [threads.call(partial(time.sleep, 0.01), within=5) for _ in range(200)]
    assert await asyncio.gather(*asked) == [None] * 200


async def test_what_had_no_turn_in_time_is_told_so_and_never_begins() -> None:
    threads, over, begun = Threads(1, "test"), threading.Event(), threading.Event()
    hanging = asyncio.create_task(threads.call(over.wait, within=5))
    await await_until(lambda: threads.busy == 1, what="it hangs")
    with pytest.raises(Away, match="had no turn within"):
        await threads.call(begun.set, within=0.05)
    over.set()
    await hanging
    assert await threads.call(lambda: 1, within=1) == 1
    assert not begun.is_set()


async def test_calls_that_nobody_waits_for_any_more_keep_no_question_from_its_turn() -> None:
    threads, over = Threads(2, "test"), threading.Event()
    for _ in range(2):
        with pytest.raises(Away, match="no answer within"):
            await threads.call(over.wait, within=0.05)
    asked = asyncio.create_task(threads.call(lambda: 1, within=5))
    with pytest.raises(Away, match="had no turn"):
        await threads.call(lambda: 2, within=0.05)
    over.set()
    assert await asked == 1


async def test_threads_are_used_again() -> None:
    threads = Threads(8, "test")
    idents = {await threads.call(threading.get_ident) for _ in range(20)}
    assert len(idents) < 20


async def test_of_calls_that_have_just_begun_only_a_few_run_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "_YOUNG_SECONDS", 1_000.0)
    threads, lock, running, most = Threads(8, "test", at_once=2), threading.Lock(), set[int](), []

    def compute(number: int) -> int:
        with lock:
            running.add(number)
            most.append(len(running))
        sum(range(100_000))
        with lock:
            running.discard(number)
        return number

    calls = [threads.call(partial(compute, number), within=20) for number in range(30)]
    assert await asyncio.gather(*calls) == list(range(30))
    assert max(most) <= 2


async def test_calls_that_wait_for_somebody_hold_up_no_others() -> None:
    threads, over = Threads(8, "test", at_once=2), threading.Event()
    waiting = [asyncio.create_task(threads.call(over.wait, within=20)) for _ in range(7)]
    await await_until(lambda: threads.busy == 7, what="all of them wait at once")
    assert await threads.call(lambda: 42, within=20) == 42
    over.set()
    assert all(await asyncio.gather(*waiting))
