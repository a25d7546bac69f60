"""The short form of the races: see `tests/trust/races.py`."""

from tests.trust import races
from tests.trust.place import Place
from tests.trust.trial import Trial


def test_of_eight_processes_on_one_confirmation_one_runs_it(place: Place, seed: int) -> None:
    trial = Trial(count=60, seed=seed)
    races.run(trial, place)
    trial.holds()
