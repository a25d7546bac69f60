"""Work after the acknowledgement: begun one at a turn of the loop, in order, and none is lost when the bot stops."""

import asyncio

from bot.errands import Errands

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
