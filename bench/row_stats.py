"""Row 4: `/kb stats`, from the command to the message, however many rows there are and messages wait."""

import random
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager

import redis

from bench.crew import crew
from bench.grounds import postgres, settle, space, sqlite
from bench.measuring import Timing
from bench.row_counts import fill
from bench.row_queued import fill_queue
from bench.rows import Goal, Outcome, Row, Scale, at_most, milliseconds
from bench.slack_side import Line, Listening, bot, newest, posted, reached
from knowledge_base_agent.fleet.deadline import Deadline
from knowledge_base_agent.fleet.fleet import Fleet
from knowledge_base_agent.records.database import open_engine
from tests.fleet.tiny_app import tiny_app
from tests.servers import RedisSpace, postgres_reachable

_WAITS_IN = "agent"
"""A queue that the bot knows, and that none of the workers consumes."""
_ASIDE = "bench-aside"
_PAUSE = 0.3
"""Seconds between questions: a look may share the answers to one that was asked up to 0.25 s before."""
_PARTS = 0.015
"""Seconds for all that is not the workers' question: signature, policy, database, Redis, drawing, Slack."""
_LOOK = "look"
_SIZES = (1_000_000, 1_000, 10_000_000)
"""Rows of the history, beside a million messages; what is measured with the others is told of the first."""
_Database = Callable[[], AbstractContextManager[str]]


class _Asked:
    """One bot that is asked for `stats`."""

    def __init__(self, to: Listening, says: str) -> None:
        self._to = to
        self._says = says
        self._line = Line(to)

    def ask(self) -> float:
        """Type the command; return the seconds until its message was posted."""
        time.sleep(_PAUSE)
        before = posted(self._to)
        began = time.perf_counter()
        self._line.types("stats")
        reached(self._to, before + 1)
        took = time.perf_counter() - began
        assert self._says in newest(self._to), newest(self._to)
        return took


@contextmanager
def _bot(database: _Database, ground: RedisSpace, rows: int, says: str) -> Iterator[_Asked]:
    with database() as url:
        engine = open_engine(url, deadline=600)
        fill(engine, rows)
        settle(engine)
        engine.dispose()
        with bot(url, ground.result_url, ground.broker_url) as to:
            yield _Asked(to, says)


def _without(client: redis.Redis, asked: _Asked) -> Callable[[], float]:
    def ask() -> float:
        client.rename(_WAITS_IN, _ASIDE)
        try:
            return asked.ask()
        finally:
            client.rename(_ASIDE, _WAITS_IN)

    return ask


def _looked(fleet: Fleet) -> float:
    time.sleep(_PAUSE)
    began = time.perf_counter()
    assert fleet.workers.look(Deadline.after(5), fresh=True).complete
    return time.perf_counter() - began


def _measured(
    database: _Database, scale: Scale, sizes: tuple[int, ...], queued: int
) -> dict[str, Timing]:
    with (
        space() as ground,
        tiny_app(ground.broker_url, ground.result_url) as app,
        redis.Redis.from_url(ground.broker_url, socket_timeout=60) as client,
        ExitStack() as ending,
    ):
        fill_queue(app, client, queued)
        client.rename("celery", _WAITS_IN)
        fleet = Fleet(app)
        ending.callback(fleet.close)
        many = scale.choose(16, 4)
        ending.enter_context(crew(ground, many, fleet))
        says = f"{many} of {many} workers answered"
        bots = {rows: ending.enter_context(_bot(database, ground, rows, says)) for rows in sizes}
        contestants: dict[str, Callable[[], float]] = {
            f"{rows:,} rows, {queued:,} queued": asked.ask for rows, asked in bots.items()
        }
        contestants[f"{sizes[0]:,} rows, 0 queued"] = _without(client, bots[sizes[0]])
        contestants[_LOOK] = lambda: _looked(fleet)
        return _in_turn(contestants, scale.choose(40, 3))


def _in_turn(contestants: dict[str, Callable[[], float]], rounds: int) -> dict[str, Timing]:
    found: dict[str, list[float]] = {name: [] for name in contestants}
    names = list(contestants)
    for number in range(-1, rounds):
        random.shuffle(names)  # or each would always be timed with the traces of the same other
        for name in names:
            seconds = contestants[name]()
            if number >= 0:
                found[name].append(seconds)
    return {name: Timing(seconds=tuple(each)) for name, each in found.items()}


def _stats(database: _Database, scale: Scale, sizes: tuple[int, ...]) -> Outcome:
    found = _measured(database, scale, sizes, scale.choose(1_000_000, 20_000))
    look = found.pop(_LOOK).median
    base = next(iter(found.values())).median
    figures = [milliseconds("the workers' question alone, as in row 1", look)]
    goals: list[Goal] = []
    for name, timing in found.items():
        figures.append(milliseconds(f"{name}: median", timing.median))
        figures.append(milliseconds(f"{name}: p95", timing.p95))
        if timing.median != base:
            other = timing.median / base
            goals.append(at_most(f"{name}: of the first", other, 1.2, smoke=4))
            goals.append(at_most(f"the first, of {name}", 1 / other, 1.25, smoke=4))
    allowed = 1.5 * look + _PARTS
    goals.append(at_most("the first: of 1.5 questions and 15 ms", base / allowed, 1, smoke=8))
    return Outcome(figures=tuple(figures), goals=tuple(goals))


def _on_sqlite(scale: Scale) -> Outcome:
    return _stats(sqlite, scale, (1_000, 20_000) if scale.smoke else _SIZES)


def _on_postgresql(scale: Scale) -> Outcome:
    if not postgres_reachable():
        return Outcome(figures=(), goals=(), skipped="PostgreSQL is not there")
    return _stats(postgres, scale, (20_000,) if scale.smoke else _SIZES)


STATS_ROW = Row(number=4, title="`/kb stats`, typed to posted", run=_on_sqlite)
POSTGRES_STATS_ROW = Row(
    number=4, title="The same on PostgreSQL", run=_on_postgresql, needs=("PostgreSQL",)
)
