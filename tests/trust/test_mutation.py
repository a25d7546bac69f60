"""The short form of the mutants: see `tests/trust/mutation.py`."""

import os
import time

from tests.trust import clamping, mutation
from tests.trust.forks import each_in_a_fork
from tests.trust.mutants import function_in, mutants_of
from tests.trust.place import Place
from tests.trust.trial import Trial


def test_mutants_of_the_guards_are_found_by_their_tests(place: Place, seed: int) -> None:
    trial = Trial(count=10, seed=seed)
    mutation.count_group(trial, "authorisation", 10, seconds=100)
    trial.holds()


def test_a_mutant_is_the_same_function_with_one_thing_changed() -> None:
    mutants = mutants_of(clamping, "clamp")
    assert {mutant.change for mutant in mutants} == {
        "GtE for Gt in `value > top` (line 2)",
        "True for the condition `value > top` (line 2)",
        "False for the condition `value > top` (line 2)",
        "None for `return top` (line 3)",
        "None for `return value` (line 4)",
    }
    function = function_in(clamping, "clamp")
    always = next(one for one in mutants if one.change.startswith("True for"))
    assert (function(1, 5), function(9, 5)) == (1, 5)
    function.__code__ = always.code
    assert function(1, 5) == 5


def test_each_mutant_lives_in_a_process_of_its_own_and_none_holds_up_the_others() -> None:
    def live(way: str) -> int:
        if way == "hangs":
            time.sleep(600)
        if way == "breaks off":
            os._exit(0)
        return len(way)

    ways = ("a", "hangs", "breaks off", "three")
    ended = {one.task: one for one in each_in_a_fork(ways, live, at_once=2, within=1.0)}
    assert {way: one.answer for way, one in ended.items()} == {
        "a": 1,
        "hangs": None,
        "breaks off": None,
        "three": 5,
    }
    assert [way for way, one in ended.items() if not one.in_time] == ["hangs"]
