"""The short form of the fuzzing: see `tests/trust/fuzz.py`."""

from tests.trust import fuzz
from tests.trust.place import Place
from tests.trust.trial import Trial


def test_nothing_that_comes_in_crashes_anything_or_shows_a_secret(place: Place, seed: int) -> None:
    trial = Trial(count=6_000, seed=seed)
    fuzz.run(trial, place)
    trial.holds()
