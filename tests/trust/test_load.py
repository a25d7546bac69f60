"""The short forms of what is asked of a bot under load: see `tests/trust/load.py` and `tests/trust/inspecting.py`."""

from tests.trust import inspecting, load
from tests.trust.place import Place
from tests.trust.trial import Trial


def test_every_command_is_acknowledged_within_a_second_while_redis_and_the_database_are_frozen(
    place: Place, seed: int
) -> None:
    trial = Trial(count=100, seed=seed)
    load.run(trial, place)
    trial.holds()


def test_two_hundred_who_ask_the_workers_at_once_are_all_answered(place: Place, seed: int) -> None:
    trial = Trial(count=200, seed=seed)
    inspecting.run(trial, place)
    trial.holds()
