"""The short form of the product of people and operations: see `tests/trust/product.py`."""

from tests.trust import product
from tests.trust.belonging import KINDS, PEOPLE
from tests.trust.place import Place
from tests.trust.trial import Trial


def test_who_does_not_belong_is_refused_everywhere_and_each_refusal_is_recorded(
    place: Place, seed: int
) -> None:
    trial = Trial(count=product.ONCE, seed=seed)
    product.run(trial, place)
    trial.holds()
    each_kind = len(KINDS) * len(PEOPLE)
    assert trial.figures().details["approve"] >= each_kind * len(product.DESTROYING)
