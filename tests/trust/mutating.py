"""`python -m tests.trust.mutating SEED COUNT GROUP…`: tests against mutants, one JSON line each, in one pytest session.

The tests are collected and run once as they are, to see that they pass, how long each takes and which functions it
reaches. Then each mutant lives in a fork of this process, one a core, and meets the tests that reach its function until
one fails: first those that are quick and have found others in the same function.
"""

import json
import os
import random
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib import import_module
from types import CodeType, FrameType
from typing import Any

import pytest
from _pytest.outcomes import OutcomeException

from tests.trust.forks import Ended, each_in_a_fork
from tests.trust.mutants import Mutant, function_in, functions_of, mutants_of
from tests.trust.mutation_targets import TARGETS, Target
from tests.waiting import wait_until

_OUT = os.dup(1)
_WITHIN = 90.0
"""Seconds after which a mutant that still runs counts as found: it would have hung."""
_PATIENCE = 2.0
"""Seconds that a test waits for what a mutant may never do; the true code did it within milliseconds."""
_SLOWER = 10
"""How many times as long as with the true code (and five seconds) a test may take before it counts as failed."""
KILLED, TIMED_OUT, SURVIVED, BROKE_OFF, UNREACHED = (
    "killed",
    "timed out",
    "survived",
    "its process broke off",
    "not reached by any test",
)


@dataclass(frozen=True, kw_only=True)
class Life:
    """A mutant and the tests that it meets, in their order."""

    mutant: Mutant
    items: tuple[pytest.Item, ...]


class Mutating:
    """The plugin that runs the tests in place of pytest's own loop."""

    def __init__(self, seed: int, count: int, targets: tuple[Target, ...]) -> None:
        self._random = random.Random(seed)
        self._count = count
        self._targets = targets
        self._failed = False
        self._codes: dict[CodeType, str] = {}
        self._reached: dict[str, list[pytest.Item]] = {}
        self._took: dict[pytest.Item, float] = {}
        self._found: Counter[tuple[str, pytest.Item]] = Counter()

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Leave out what needs PostgreSQL, which takes longer, unless it is named one by one."""
        named = {test for target in self._targets for test in target.tests}
        kept = [one for one in items if "postgresql" not in one.nodeid or one.nodeid in named]
        items[:] = {one.nodeid: one for one in kept}.values()

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Run all once, then each mutant."""
        names = [
            (module, name)
            for target in self._targets
            for module in target.modules
            for name in functions_of(import_module(module))
            if name not in target.left_out
        ]
        for module, name in names:
            self._codes[function_in(import_module(module), name).__code__] = f"{module}.{name}"
        self._run_all_once(session)
        mutants = [
            mutant for module, name in names for mutant in mutants_of(import_module(module), name)
        ]
        self._random.shuffle(mutants)
        _tell({"mutants": len(mutants)})
        self._meet(session, mutants[: self._count])
        return True

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note a failure."""
        self._failed = self._failed or report.failed

    def _run_all_once(self, session: pytest.Session) -> None:
        for item, following in _in_a_circle(session.items):
            reached: set[str] = set()

            def seen(frame: FrameType, event: str, _: Any, reached: set[str] = reached) -> None:
                if event == "call" and frame.f_code in self._codes:
                    reached.add(self._codes[frame.f_code])

            began = time.monotonic()
            threading.setprofile(seen)
            sys.setprofile(seen)
            session.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
            sys.setprofile(None)
            threading.setprofile(None)
            assert not self._failed, f"{item.nodeid} fails without any mutant"
            self._took[item] = time.monotonic() - began
            for name in reached:
                self._reached.setdefault(name, []).append(item)

    def _meet(self, session: pytest.Session, mutants: list[Mutant]) -> None:
        def live(life: Life) -> int:
            return self._live(session, life)

        lives = (self._life(mutant) for mutant in mutants)
        cores = os.cpu_count() or 1
        for ended in each_in_a_fork(lives, live, at_once=cores, within=_WITHIN):
            mutant = ended.task.mutant
            if ended.answer:
                self._found[_place(mutant), ended.task.items[ended.answer - 1]] += 1
            _tell({"name": mutant.name, "outcome": _outcome(ended), "seconds": ended.seconds})

    def _life(self, mutant: Mutant) -> Life:
        place = _place(mutant)
        items = self._reached.get(place, [])
        costs = {item: self._took[item] / (1 + self._found[place, item]) for item in items}
        return Life(mutant=mutant, items=tuple(sorted(items, key=costs.__getitem__)))

    def _live(self, session: pytest.Session, life: Life) -> int:
        """Be the mutant; return which test failed, counted from one, or zero."""
        function = function_in(import_module(life.mutant.module), life.mutant.function)
        function.__code__ = life.mutant.code
        kept = wait_until.__kwdefaults__
        assert kept is not None
        kept["within"] = _PATIENCE
        for number, (item, following) in enumerate(_in_a_circle(life.items), 1):
            limit = 5 + _SLOWER * self._took[item]
            item.add_marker(pytest.mark.timeout(limit), append=False)
            try:
                session.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
            except OutcomeException:  # its time was over between two steps of pytest's own
                return number
            if self._failed:
                return number
        return 0


def _place(mutant: Mutant) -> str:
    return f"{mutant.module}.{mutant.function}"


def _in_a_circle(items: Sequence[pytest.Item]) -> Iterator[tuple[pytest.Item, pytest.Item]]:
    """Yield each test with the one after it; after the last comes the first, so that servers stay for who is next."""
    yield from zip(items, (*items[1:], *items[:1]), strict=True)


def _outcome(ended: Ended[Life]) -> str:
    if not ended.in_time:
        return TIMED_OUT
    if ended.answer is None:
        return BROKE_OFF
    if ended.answer:
        return KILLED
    return SURVIVED if ended.task.items else UNREACHED


def _tell(line: dict[str, object]) -> None:
    os.write(_OUT, (json.dumps(line) + "\n").encode())


def main(arguments: list[str]) -> int:
    """Run the groups that are named, or all."""
    seed, count, *names = arguments
    targets = tuple(one for one in TARGETS if not names or one.name in names)
    tests = sorted({test for one in targets for test in one.tests})
    options = [
        "-q",
        "-p",
        "no:cacheprovider",
        "-p",
        "no:xdist",
        "-p",
        "no:randomly",
    ]
    plugin = Mutating(int(seed), int(count), targets)
    return int(pytest.main([*options, *tests], plugins=[plugin]))


if __name__ == "__main__":
    os.dup2(2, 1)  # what pytest prints goes where errors go
    sys.exit(main(sys.argv[1:]))
