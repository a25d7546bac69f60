"""The garbage collector stops every thread of the bot: it must do so for short moments only."""

import subprocess
import sys

from tests.fleet.running import ROOT

_PROGRAM = """
import gc
from bot.__main__ import _spare_what_stays

most = {0: 0, 1: 0}

def look(phase, info):
    if phase == "start" and info["generation"] in most:
        looked_at = sum(len(gc.get_objects(number)) for number in range(info["generation"] + 1))
        most[info["generation"]] = max(most[info["generation"]], looked_at)

_spare_what_stays()
gc.callbacks.append(look)
kept = [[] for _ in range(60_000)]
print(most[0], most[1])
"""


def test_no_look_for_what_is_young_goes_through_more_than_a_few_thousand_objects() -> None:
    said = subprocess.run(
        [sys.executable, "-c", _PROGRAM], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout
    youngest, young = map(int, said.split())
    assert 0 < youngest <= 1_000
    assert youngest < young <= 4_000
