"""The short form of the product of people and operations: see `tests/trust/product.py`."""

from tests.trust import product
from tests.trust.place import Place
from tests.trust.trial import Trial


def test_who_does_not_belong_is_refused_everywhere_and_each_refusal_is_recorded(
    place: Place, seed: int
) -> None:
    trial = Trial(count=3_000, seed=seed)
    product.run(trial, place)
    trial.holds()
