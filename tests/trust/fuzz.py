"""Inputs that nobody would send on purpose, through every door that text comes in by.

A crash is whatever is raised that is no `Problem`; a secret planted into the text must not come out of it again, and no
text may take long.
"""

import time
import traceback
from random import Random

from knowledge_base_agent.problems import Problem
from tests.trust.doors import DOORS, Door
from tests.trust.noise import text
from tests.trust.place import Place
from tests.trust.planted import planted, secret
from tests.trust.trial import Trial

CRASHES, SHOWN, SLOW = (
    "crashes",
    "planted secrets shown",
    "texts that took longer than a second of CPU",
)
_SECRETS = 0.5
"""The share of the texts into which a secret is planted."""
_AT_ONCE = 1000
_TOO_LONG = 1.0


def run(trial: Trial, place: Place) -> None:
    """Let texts in until the count is reached. The n-th input of a seed is always the same, whatever the count."""
    trial.never(CRASHES, SHOWN, SLOW)
    shares = [door.share for door in DOORS]
    number = 0
    while trial.goes_on():
        random = Random(f"{trial.seed}:{number}")
        for door in random.choices(DOORS, shares, k=min(_AT_ONCE, trial.count - trial.reached)):
            _let_in(trial, door, random, f"seed {trial.seed}, block {number}")
        number += 1


def _let_in(trial: Trial, door: Door, random: Random, where: str) -> None:
    hidden = secret(random)
    given = text(random)
    if random.random() < _SECRETS:
        given = planted(random, given, hidden)
        trial.also("secrets planted")
    started = time.process_time()
    try:
        for shown in door.open(random, given):
            if hidden in shown:
                trial.saw(SHOWN, f"{where}, {door.name}: {given!r} became {shown!r}")
    except Problem:
        pass  # a person is told what to do
    except Exception as error:  # noqa: BLE001 - this is what is counted
        spot = traceback.extract_tb(error.__traceback__)[-1]
        trial.saw(CRASHES, f"{where}, {door.name}: {given[:200]!r}: {error!r} at {spot.name}")
    seconds = time.process_time() - started
    if seconds > _TOO_LONG:
        trial.saw(SLOW, f"{where}, {door.name}: {seconds:.1f} s for {given[:200]!r}")
    trial.took("CPU for one input", seconds)
    trial.did(door.name)
