"""Work after the acknowledgement: begun one at a turn of the loop, in order, and none is lost when the bot stops."""

import asyncio
import os

import pytest

from bot import errands as module
from bot.errands import Errands, Urgency
from tests.waiting import await_until

ACKNOWLEDGED = -1
"""Stands among the numbers of what was begun."""


async def test_what_arrives_while_many_wait_is_taken_between_two_beginnings() -> None:
    errands = Errands()
    order: list[int] = []

    async def work(number: int) -> None:
        order.append(number)

    for number in range(50):
        errands.start(work(number))
    asyncio.get_running_loop().call_soon(order.append, ACKNOWLEDGED)
    assert await errands.finish(5) == 0
    assert order.index(ACKNOWLEDGED) <= 1
    order.remove(ACKNOWLEDGED)
    assert order == list(range(50))


async def test_what_one_errand_begins_is_finished_too() -> None:
    errands = Errands()
    done: list[str] = []

    async def second() -> None:
        done.append("second")

    async def first() -> None:
        errands.start(second())

    errands.start(first())
    assert await errands.finish(5) == 0
    assert done == ["second"]


async def test_what_does_not_end_or_was_not_begun_in_time_is_counted() -> None:
    errands = Errands()

    async def endless() -> None:
        await asyncio.Event().wait()

    errands.start(endless())
    errands.start(endless())
    assert len(errands) == 2
    assert await errands.finish(0) == 2
    assert len(errands) == 0


async def test_what_has_no_turn_soon_after_the_stop_hears_so_and_what_runs_goes_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "BEHIND_SECONDS", 0.5)
    errands = Errands()
    heard: list[object] = []

    async def runs() -> None:
        while not heard:
            await errands.turn()  # and takes every turn
        heard.append("ended")

    async def waits() -> None:
        heard.append(errands.closing)

    errands.start(runs(), Urgency.AT_ONCE)
    await asyncio.sleep(0.01)
    errands.start(waits())
    assert await errands.finish(1) == 0
    assert heard == [True, "ended"]


async def test_what_is_cancelled_at_the_end_has_time_for_a_last_word_but_not_for_more() -> None:
    errands = Errands()
    said: list[str] = []

    async def endless() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            said.append("a word")
            await errands.turn()
            said.append("another")
            await asyncio.Event().wait()

    errands.start(endless())
    async with asyncio.timeout(5):
        assert await errands.finish(1) == 1
    assert said == ["a word", "another"]
    assert len(errands) == 0


async def test_what_is_confirmed_goes_first_then_the_unread_then_answers_then_what_is_new() -> None:
    errands = Errands()
    order: list[str] = []

    async def work(name: str) -> None:
        order.append(name)

    async def answer() -> None:
        await errands.turn()
        order.append("an answer")

    answering = asyncio.create_task(answer())
    await asyncio.sleep(0)  # it waits for its turn, which has not come
    errands.start(work("new"))
    errands.start(work("newer"))
    errands.start(work("unread"), Urgency.UNREAD)
    errands.start(work("confirmed"), Urgency.AT_ONCE)
    assert await errands.finish(5) == 0
    await answering
    assert order == ["confirmed", "unread", "an answer", "new", "newer"]


async def test_what_has_waited_for_too_long_is_told_so_though_answers_go_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "BEHIND_SECONDS", -1.0)
    errands = Errands()
    over: list[str] = []

    async def answers_without_end() -> None:
        while not over:
            await errands.turn()

    async def overdue() -> None:
        over.append("told")

    errands.start(answers_without_end())
    await errands.turn()
    errands.start(overdue())
    assert await errands.finish(5) == 0
    assert over == ["told"]


async def test_an_answer_whose_work_is_gone_takes_no_turn_from_others() -> None:
    errands = Errands()
    gone = asyncio.create_task(errands.turn())
    await asyncio.sleep(0)
    gone.cancel()
    async with asyncio.timeout(5):
        await errands.turn()
    assert len(errands) == 0


async def test_the_processor_is_given_away_for_an_acknowledgement_only_while_nothing_else_is_done(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    errands, over, given = Errands(), asyncio.Event(), list[int]()
    begun = asyncio.Event()
    monkeypatch.setattr(os, "sched_yield", lambda: given.append(len(errands)))

    async def waits() -> None:
        begun.set()
        await over.wait()

    async def read() -> None:
        return None

    errands.start(read(), Urgency.UNREAD)
    await await_until(lambda: len(errands) == 0, what="it was read")
    assert given == [1]
    errands.start(waits())
    await begun.wait()
    errands.start(read(), Urgency.UNREAD)
    await await_until(lambda: len(errands) == 1, what="it was read")
    assert given == [1]
    over.set()
    assert await errands.finish(5) == 0
