"""A live message: at most one edit a second, the latest wins, and the end is always written."""

import asyncio
import threading

from bot.blocks.drawn import Drawn
from bot.live_message import LiveMessage, Relay
from bot.messages import Messages, Place
from bot.slack_api import Refusal, TooFast, Unreached
from tests.people import LocalSlack
from tests.waiting import await_until

OPS = "C0OPS0000"


def drawn(text: str) -> Drawn:
    return Drawn(text=text)


class Wall:
    """Where a live message is written; refuses as often as it is told."""

    def __init__(self, *refusals: Exception) -> None:
        self.written: list[str] = []
        self._refusals = list(refusals)

    async def write(self, message: Drawn) -> None:
        await asyncio.sleep(0)
        if self._refusals:
            raise self._refusals.pop(0)
        self.written.append(message.text)


async def test_states_in_between_are_left_out_and_the_end_is_not() -> None:
    wall = Wall()
    async with LiveMessage(wall.write, every=30) as live:
        live.show(lambda: drawn("0"))
        await await_until(lambda: wall.written == ["0"], what="the first state is written")
        for step in range(1, 1000):
            live.show(lambda step=step: drawn(str(step)))  # type: ignore[misc]
        assert await live.finish(drawn("the end"))
    assert wall.written == ["0", "the end"]


async def test_the_second_state_waits_for_its_turn_and_the_latest_is_shown() -> None:
    wall = Wall()
    loop = asyncio.get_running_loop()
    async with LiveMessage(wall.write, every=0.2) as live:
        live.show(lambda: drawn("1"))
        await await_until(lambda: len(wall.written) == 1, what="the first state is written")
        began = loop.time()
        live.show(lambda: drawn("2"))
        live.show(lambda: drawn("3"))
        await await_until(lambda: len(wall.written) == 2, what="the next state is written")
        assert loop.time() - began > 0.15
        assert wall.written == ["1", "3"]
        assert await live.finish(drawn("end"))


async def test_what_slack_did_not_take_is_written_again_until_it_does() -> None:
    wall = Wall(TooFast(0.05), Unreached("HTTP 503"), TooFast(0.0))
    async with LiveMessage(wall.write, every=0.01) as live:
        assert await live.finish(drawn("the end"))
    assert wall.written == ["the end"]


async def test_nothing_is_shown_after_the_end() -> None:
    wall = Wall(TooFast(0.05))
    async with LiveMessage(wall.write, every=0.01) as live:
        ending = asyncio.create_task(live.finish(drawn("the end")))
        await asyncio.sleep(0)
        live.show(lambda: drawn("late progress"))
        assert await ending
    assert wall.written == ["the end"]


async def test_a_message_that_was_deleted_is_reported_so_that_the_end_is_posted_anew() -> None:
    wall = Wall(Refusal("message_not_found"))
    async with LiveMessage(wall.write) as live:
        assert not await live.finish(drawn("the end"))


async def test_giving_up_in_time_is_reported_too() -> None:
    wall = Wall(TooFast(60))
    async with LiveMessage(wall.write) as live:
        assert not await live.finish(drawn("the end"), within=0.05)


async def test_slacks_own_429_is_waited_out(slack: LocalSlack, messages: Messages) -> None:
    posted = await messages.post(Place(channel=OPS, user="U0OTTO000"), drawn("begin"))
    await slack.fails("chat.update", "429", retry_after=1)

    async def write(message: Drawn) -> None:
        await messages.update(posted, message)

    async with LiveMessage(write) as live:
        assert await live.finish(drawn("the end"))
    first, second = await slack.calls("chat.update")
    assert second["at"] - first["at"] >= 0.9
    await slack.person("otto").sees("the end", in_="#ops", ever=True)


async def test_a_flood_of_progress_from_a_thread_reaches_the_loop_as_few_states() -> None:
    seen: list[int] = []
    relay = Relay(lambda done, total, note: seen.append(done))

    def flood() -> None:
        for step in range(1, 20_001):
            relay(step, 20_000)

    thread = threading.Thread(target=flood)
    thread.start()
    thread.join()
    await await_until(lambda: 20_000 in seen, what="the last state arrives")
    assert len(seen) < 100
