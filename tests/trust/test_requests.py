"""The short form of the forged requests: see `tests/trust/requests.py`."""

from tests.trust import requests
from tests.trust.place import Place
from tests.trust.trial import Trial


def test_no_request_but_a_persons_own_fresh_press_does_anything(place: Place, seed: int) -> None:
    trial = Trial(count=180, seed=seed)
    requests.run(trial, place)
    trial.holds()
