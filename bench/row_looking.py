"""Rows 1 and 2: what every worker is doing, with everyone well, and with one frozen."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from bench.grounds import space
from bench.looking import (
    FLOWERS_NOTE,
    OURS,
    SIMULATED,
    SIXTEEN,
    Place,
    compared,
    frozen,
    measured,
    simulated,
)
from bench.raw_question import RawQuestion
from bench.responder import responder
from bench.rows import Figure, Goal, Outcome, Row, Scale
from knowledge_base_agent.fleet.worker_words import LOOK


@contextmanager
def _redis() -> Iterator[Place]:
    with space() as ground:
        yield Place(
            addresses=ground,
            raw=lambda _: RawQuestion(ground.broker_url, LOOK),
            simulated=partial(responder, ground),
            complete=True,
        )


def _well(scale: Scale) -> Outcome:
    figures: list[Figure] = []
    goals: list[Goal] = []
    costs: dict[str, float] = {}
    for count in (SIXTEEN, SIMULATED) if scale.smoke else (1, 4, SIXTEEN, 64, SIMULATED):
        with _redis() as place:
            alone = count == SIMULATED
            found = simulated(place, scale) if alone else measured(place, count, scale)
        costs["seconds a reply"] = found[OURS].median / count
        more = compared(count, found)
        figures += more[0]
        goals += more[1]
    return Outcome(figures=tuple(figures), goals=tuple(goals), notes=(FLOWERS_NOTE,), costs=costs)


def _frozen(scale: Scale) -> Outcome:
    with _redis() as place:
        return frozen(place, scale.choose(SIXTEEN, 4))


LOOKING = Row(number=1, title="What every worker is doing, in one question", run=_well)
FROZEN = Row(number=2, title="The same with one worker frozen", run=_frozen)
