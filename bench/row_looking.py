"""Rows 1 and 2: what every worker is doing, with everyone well, and with one frozen."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

from celery import Celery

from bench.crew import crew
from bench.flower_peer import flower
from bench.grounds import space
from bench.measuring import Timing, interleaved, timed
from bench.raw_question import RawQuestion
from bench.responder import responder
from bench.rows import Figure, Goal, Outcome, Row, Scale, at_least, at_most, milliseconds
from knowledge_base_agent.fleet.deadline import Deadline
from knowledge_base_agent.fleet.fleet import Fleet
from knowledge_base_agent.fleet.question import Question
from knowledge_base_agent.fleet.views import FleetView
from knowledge_base_agent.fleet.worker_words import LOOK
from tests.fleet.running import ROOT
from tests.fleet.tiny_app import tiny_app
from tests.servers import RedisSpace

_SIXTEEN = 16
_SIMULATED = 256
_DEADLINE = 1.0
_FLOWER = "Flower's refresh"
_PEERS = {"celery inspect": 80, "four inspects": 200, _FLOWER: None}
"""And how many times as fast as each is wanted, where that is."""
_NOTES = (
    (
        "Flower's refresh of all workers at once asks for their figures, queues and settings: the lists of tasks, "
        "which are in ours, it fetches for one worker at a time."
    ),
)


@contextmanager
def _fleet(ground: RedisSpace) -> Iterator[Fleet]:
    with tiny_app(ground.broker_url, ground.result_url) as app:
        fleet = Fleet(app)
        try:
            yield fleet
        finally:
            fleet.close()


def _look(fleet: Fleet, count: int) -> FleetView:
    view = fleet.workers.look(Deadline.after(5), fresh=True)
    assert (view.answered, view.complete) == (count, True), view.silent
    return view


def _command_line(ground: RedisSpace) -> None:
    environment = os.environ | {
        "TINY_BROKER": ground.broker_url,
        "TINY_RESULTS": ground.result_url,
        "TINY_LEDGER": ground.progress_url,
    }
    command = [sys.executable, "-m", "celery", "-A", "tests.fleet.tiny_app", "inspect", "active"]
    subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True)


def _four_inspects(app: Celery) -> None:
    inspect = app.control.inspect()
    for question in (inspect.active, inspect.reserved, inspect.scheduled, inspect.stats):
        assert question()


def _measured(count: int, scale: Scale) -> dict[str, Timing]:
    with (
        space() as ground,
        _fleet(ground) as fleet,
        crew(ground, count, fleet),
        ExitStack() as ending,
    ):
        raw = RawQuestion(ground.broker_url, LOOK)
        contestants: dict[str, Callable[[], object]] = {
            "ours": lambda: _look(fleet, count),
            "raw": raw.ask,
        }
        every = {}
        if count == _SIXTEEN:
            contestants |= {
                "celery inspect": lambda: _command_line(ground),
                "four inspects": lambda: _four_inspects(fleet.app),
                _FLOWER: ending.enter_context(flower(ground, count)).refresh,
            }
            every = dict.fromkeys(_PEERS, scale.choose(40, 20))
        found = interleaved(
            contestants, rounds=scale.choose(200, 20), every=every, warm=scale.choose(3, 0)
        )
        raw.close()
        return found


def _simulated(scale: Scale) -> dict[str, Timing]:
    with space() as ground, _fleet(ground) as fleet:
        with crew(ground, 1, fleet):
            asked = Question(command=LOOK, arguments={"arguments": False})
            (reply,) = fleet.broadcaster.ask(Deadline.after(5), asked).replies
        with responder(ground, _SIMULATED, reply.body):
            raw = RawQuestion(ground.broker_url, LOOK)
            _look(fleet, _SIMULATED)
            found = interleaved(
                {"ours": lambda: _look(fleet, _SIMULATED), "raw": raw.ask},
                rounds=scale.choose(100, 5),
            )
            raw.close()
    return found


def _well(scale: Scale) -> Outcome:
    figures: list[Figure] = []
    goals: list[Goal] = []
    costs: dict[str, float] = {}
    for count in (_SIXTEEN, _SIMULATED) if scale.smoke else (1, 4, _SIXTEEN, 64, _SIMULATED):
        found = _simulated(scale) if count == _SIMULATED else _measured(count, scale)
        ours, raw = found["ours"], found["raw"]
        costs["seconds a reply"] = ours.median / count
        figures += [
            milliseconds(f"{count} workers: ours, median", ours.median),
            milliseconds(f"{count} workers: ours, p95", ours.p95),
            milliseconds(f"{count} workers: raw broadcast", raw.median),
        ]
        goals += [
            at_most(f"{count} workers: of the raw floor", ours.median / raw.median, 1.3, smoke=3),
            at_most(f"{count} workers: p95 of the median", ours.p95 / ours.median, 2, smoke=6),
        ]
        for peer, bound in _PEERS.items():
            if peer in found:
                figures.append(milliseconds(f"{count} workers: {peer}", found[peer].median))
                ratio = found[peer].median / ours.median
                if bound:
                    goals.append(at_least(f"faster than {peer}", ratio, bound, smoke=bound / 8))
                else:
                    figures.append(Figure(label=f"faster than {peer}", value=f"{ratio:.3g} ×"))
    return Outcome(figures=tuple(figures), goals=tuple(goals), notes=_NOTES, costs=costs)


def _frozen(scale: Scale) -> Outcome:
    count = scale.choose(_SIXTEEN, 4)
    with space() as ground, _fleet(ground) as fleet, crew(ground, count, fleet) as pids:
        _look(fleet, count)
        os.kill(pids[0], signal.SIGSTOP)
        started = time.perf_counter()
        view = fleet.workers.look(Deadline.after(_DEADLINE), fresh=True)
        first = time.perf_counter() - started
        second = timed(lambda: fleet.workers.look(Deadline.after(_DEADLINE), fresh=True))
        os.kill(pids[0], signal.SIGCONT)
    named = view.silent == ("w000@bench",) and view.answered == count - 1
    return Outcome(
        figures=(
            milliseconds("deadline", _DEADLINE),
            milliseconds("with one frozen", first),
            milliseconds("the next question", second),
            Figure(label="answered, named", value=f"{view.answered} of {count}, {view.silent}"),
        ),
        goals=(
            at_most("of the deadline", first / _DEADLINE, 1.2, smoke=1.5),
            at_most("the next question, of the deadline", second / _DEADLINE, 0.5, smoke=0.8),
            at_least("the silent one is named, the others kept", float(named), 1, smoke=1, unit=""),
        ),
    )


LOOKING = Row(number=1, title="What every worker is doing, in one question", run=_well)
FROZEN = Row(number=2, title="The same with one worker frozen", run=_frozen)
