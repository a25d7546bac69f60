"""The short form of the audit's way to its channel: see `tests/trust/outbox.py`."""

from tests.trust import outbox
from tests.trust.place import Place
from tests.trust.trial import Trial


def test_no_entry_of_the_audit_is_lost_on_its_way_to_the_channel(place: Place, seed: int) -> None:
    trial = Trial(count=400, seed=seed)
    outbox.run(trial, place)
    trial.holds()
