"""What every worker is doing: our question and the others', asked of the workers of one broker, whichever it is."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

from celery import Celery

from bench.crew import crew
from bench.flower_peer import flower
from bench.measuring import Timing, interleaved, timed
from bench.rows import Figure, Goal, Outcome, Scale, at_least, at_most, digits, milliseconds
from knowledge_base_agent.fleet.deadline import Deadline
from knowledge_base_agent.fleet.fleet import Fleet
from knowledge_base_agent.fleet.question import Question
from knowledge_base_agent.fleet.views import FleetView
from knowledge_base_agent.fleet.worker_words import LOOK
from tests.fleet.running import ROOT
from tests.fleet.tiny_app import tiny_app
from tests.servers import RedisSpace

SIXTEEN = 16
SIMULATED = 256
OURS, RAW = "ours", "raw"
_DEADLINE = 1.0
_FLOWER = "Flower's refresh"
_PEERS = {"celery inspect": 80, "four inspects": 200, _FLOWER: None}
"""And how many times as fast as each is wanted, where that is."""
FLOWERS_NOTE = (
    "Flower's refresh of all workers at once asks for their figures, queues and settings: the lists of tasks, "
    "which are in ours, it fetches for one worker at a time."
)


class Raw(Protocol):
    """The floor: a broadcast, and as many replies as there are workers, none of them decoded."""

    def ask(self) -> object:
        """Ask once."""

    def close(self) -> None:
        """Leave nothing behind."""


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where workers run: the broker among the addresses, and what belongs to its kind."""

    addresses: RedisSpace
    raw: Callable[[int], Raw]
    """Makes the floor for so many workers."""
    simulated: Callable[[int, Mapping[str, Any]], AbstractContextManager[None]]
    """Lets so many simulated workers answer with this sample."""
    complete: bool | None
    """What a look says where everyone has answered: None where the broker can't tell."""
    rounds: int = 200
    """How often ours is asked in full; the peers are asked five times."""

    @contextmanager
    def fleet(self) -> Iterator[Fleet]:
        """Lend a fleet that has not asked anyone yet."""
        with tiny_app(self.addresses.broker_url, self.addresses.result_url) as app:
            fleet = Fleet(app)
            try:
                yield fleet
            finally:
                fleet.close()

    def look(self, fleet: Fleet, count: int) -> FleetView:
        """Ask ours, and be sure that so many have answered."""
        view = fleet.workers.look(Deadline.after(5), fresh=True)
        assert (view.answered, view.complete) == (count, self.complete), view.silent
        return view

    def command_line(self) -> None:
        """Ask as a person does in the shell."""
        command = [sys.executable, "-m", "celery", "-A", "tests.fleet.tiny_app"]
        subprocess.run(
            [*command, "inspect", "active"],
            cwd=ROOT,
            env=os.environ
            | {
                "TINY_BROKER": self.addresses.broker_url,
                "TINY_RESULTS": self.addresses.result_url,
                "TINY_LEDGER": self.addresses.progress_url,
            },
            check=True,
            capture_output=True,
        )


def _four_inspects(app: Celery) -> None:
    inspect = app.control.inspect()
    for question in (inspect.active, inspect.reserved, inspect.scheduled, inspect.stats):
        assert question()


def measured(
    place: Place, count: int, scale: Scale, seldom: Mapping[str, Callable[[], object]] | None = None
) -> dict[str, Timing]:
    """Return how long each took with so many real workers; `seldom` is timed as often as the peers of sixteen."""
    with place.fleet() as fleet, crew(place.addresses, count, fleet), ExitStack() as ending:
        raw = place.raw(count)
        ending.callback(raw.close)
        contestants: dict[str, Callable[[], object]] = {
            OURS: lambda: place.look(fleet, count),
            RAW: raw.ask,
        }
        slow = dict(seldom or {})
        if count == SIXTEEN:
            slow |= {
                "celery inspect": place.command_line,
                "four inspects": lambda: _four_inspects(fleet.app),
                _FLOWER: ending.enter_context(flower(place.addresses, count)).refresh,
            }
        rounds = scale.choose(place.rounds, place.rounds // 10)
        every = dict.fromkeys(slow, scale.choose(rounds // 5, rounds))
        warm = scale.choose(3, 0)
        return interleaved(contestants | slow, rounds=rounds, every=every, warm=warm)


def simulated(place: Place, scale: Scale) -> dict[str, Timing]:
    """Return how long ours and the floor took with very many that answer as a real worker does."""
    with place.fleet() as fleet:
        with crew(place.addresses, 1, fleet):
            asked = Question(command=LOOK, arguments={"arguments": False})
            (reply,) = fleet.broadcaster.ask(Deadline.after(5), asked).replies
        with place.simulated(SIMULATED, reply.body), ExitStack() as ending:
            raw = place.raw(SIMULATED)
            ending.callback(raw.close)
            place.look(fleet, SIMULATED)
            return interleaved(
                {OURS: lambda: place.look(fleet, SIMULATED), RAW: raw.ask},
                rounds=scale.choose(place.rounds // 2, 5),
            )


def compared(
    count: int, found: Mapping[str, Timing], *, smoke: float = 3
) -> tuple[list[Figure], list[Goal]]:
    """Return what is told of so many workers; `smoke` is the short form's bound for ours, of the floor."""
    ours, raw = found[OURS], found[RAW]
    figures = [
        milliseconds(f"{count} workers: ours, median", ours.median),
        milliseconds(f"{count} workers: ours, p95", ours.p95),
        milliseconds(f"{count} workers: raw broadcast", raw.median),
    ]
    goals = [
        at_most(f"{count} workers: of the raw floor", ours.median / raw.median, 1.3, smoke=smoke),
        at_most(f"{count} workers: p95 of the median", ours.p95 / ours.median, 2, smoke=6),
    ]
    for peer, bound in _PEERS.items():
        if peer in found:
            figures.append(milliseconds(f"{count} workers: {peer}", found[peer].median))
            ratio = found[peer].median / ours.median
            if bound:
                goals.append(at_least(f"faster than {peer}", ratio, bound, smoke=bound / 8))
            else:
                figures.append(Figure(label=f"faster than {peer}", value=f"{digits(ratio)} ×"))
    return figures, goals


def frozen(place: Place, count: int) -> Outcome:
    """Stop one of so many workers, and ask twice."""
    with place.fleet() as fleet, crew(place.addresses, count, fleet) as pids:
        place.look(fleet, count)
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
