"""Row 3: how long Slack waits for its acknowledgement, in peace, and while broker and database stand still."""

import asyncio
import contextlib
import sqlite3
import statistics
import time
from collections.abc import Iterator
from dataclasses import dataclass

import aiohttp

from bench.counterparts import PATH
from bench.grounds import space, sqlite
from bench.measuring import Timing
from bench.rows import Figure, Outcome, Row, Scale, at_most, milliseconds
from bench.slack_side import Line, Listening, bot, command, counterpart
from tests.faults.proxy import proxy_to

_PAUSE = 0.03
"""Seconds after each command, in which the bot does what it was asked for: that is not what is measured."""


def _in_turn(lines: dict[str, Line], rounds: int) -> dict[str, Timing]:
    took: dict[str, list[float]] = {name: [] for name in lines}
    for number in range(-3, rounds):
        for name, line in lines.items():
            seconds = line.types("help")
            time.sleep(_PAUSE)
            if number >= 0:
                took[name].append(seconds)
    return {name: Timing(seconds=tuple(found)) for name, found in took.items()}


def _of_many_words(line: Line, rounds: int) -> float:
    """Return the median over a hundred different subcommands, most of which nobody knows."""
    took = []
    for number in range(rounds):
        took.append(line.types(f"word{number % 100}"))
        time.sleep(_PAUSE)
    return statistics.median(took)


@contextlib.contextmanager
def _frozen(database_url: str) -> Iterator[None]:
    path = database_url.removeprefix("sqlite:///")
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as holder:
        holder.execute("BEGIN EXCLUSIVE")
        yield
        holder.execute("ROLLBACK")


async def _stormed(to: Listening, commands: int, a_second: int) -> tuple[Timing, Timing]:
    """Send commands at an even pace whatever becomes of them; return the acknowledgements, and /healthz beside them.

    Each is timed from the moment that it was due, so that a loop that stands still counts for all that wait for it.
    """
    acked: list[float] = []
    health: list[float] = []
    url = f"http://127.0.0.1:{to.port}"
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:

        async def one(number: int, due: float) -> None:
            body, headers = command(("help", "stats", "active", "failures")[number % 4])
            async with session.post(url + PATH, data=body, headers=headers) as answer:
                assert answer.status == 200
            acked.append(time.perf_counter() - due)
            if number % 4 == 0:
                began = time.perf_counter()
                async with session.get(url + "/healthz") as answer:
                    assert answer.status == 200
                health.append(time.perf_counter() - began)

        began = time.perf_counter()
        sending = []
        for number in range(commands):
            due = began + number / a_second
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            sending.append(asyncio.create_task(one(number, max(due, time.perf_counter()))))
        await asyncio.gather(*sending)
    return Timing(seconds=tuple(acked)), Timing(seconds=tuple(health))


@dataclass(frozen=True, kw_only=True)
class _Measured:
    """What came out: in peace, each in turn; and acknowledgements and /healthz while all stands still."""

    peace: dict[str, Timing]
    many: float
    stormed: Timing
    health: Timing


def _measured(scale: Scale, a_second: int) -> _Measured:
    with (
        space() as ground,
        sqlite() as url,
        proxy_to(ground.broker_url) as broker,
        counterpart("bare") as bare,
        counterpart("bolt") as bolt,
        bot(url, ground.result_url, broker.url(ground.broker_url)) as ours,
    ):
        lines = {"ours": Line(ours), "bare aiohttp": Line(bare), "Bolt's own server": Line(bolt)}
        peace = _in_turn(lines, scale.choose(300, 15))
        many = _of_many_words(lines["ours"], scale.choose(300, 30))
        broker.black_hole()
        with _frozen(url):
            storm = _stormed(ours, scale.choose(30, 3) * a_second, a_second)
            stormed, health = asyncio.run(storm)
    return _Measured(peace=peace, many=many, stormed=stormed, health=health)


def _acknowledging(scale: Scale) -> Outcome:
    a_second = scale.choose(200, 20)
    found = _measured(scale, a_second)
    median, floor = found.peace["ours"].median, found.peace["bare aiohttp"].median
    p99, lag = found.stormed.at(0.99) * 1000, found.health.at(0.99) * 1000
    still = f"{len(found.stormed.seconds):,}, {a_second} a second"
    return Outcome(
        figures=(
            *(milliseconds(f"{name}, median", one.median) for name, one in found.peace.items()),
            milliseconds("ours, a hundred subcommands, median", found.many),
            Figure(label="commands while all stands still", value=still),
            milliseconds("acknowledged then, median", found.stormed.median),
            milliseconds("acknowledged then, the slowest", found.stormed.most),
        ),
        goals=(
            at_most("median of the floor", median / floor, 2, smoke=6),
            at_most("a hundred subcommands of one", found.many / median, 1.2, smoke=3),
            at_most("p99 while all stands still", p99, 20, smoke=2000, unit="ms"),
            at_most("p99 of /healthz beside it", lag, 10, smoke=2000, unit="ms"),
        ),
        notes=(
            "Over HTTP, the bot as a process. What holds up /healthz is the event loop, and one round trip.",
        ),
    )


ACKNOWLEDGING = Row(number=3, title="Slack's envelope in, acknowledgement out", run=_acknowledging)
