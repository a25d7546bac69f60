"""The short form of the kills: see `tests/trust/kills.py`."""

from tests.trust import kills
from tests.trust.place import Place
from tests.trust.trial import Trial


def test_a_process_that_is_killed_anywhere_leaves_nothing_twice_and_nothing_unrecorded(
    place: Place, seed: int
) -> None:
    trial = Trial(count=30, seed=seed)
    kills.run(trial, place)
    trial.holds()
