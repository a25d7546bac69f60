"""`python -m tests.trust.mutating SEED COUNT GROUP…`: tests against mutants, one JSON line each, in one pytest session.

The tests are collected and run once as they are, to see that they pass and which functions each of them reaches. Then
each mutant lives in a fork of this process, and meets the tests that reach its function until one fails.
"""

import json
import os
import random
import select
import signal
import sys
import threading
import time
from collections.abc import Iterator
from importlib import import_module
from types import CodeType, FrameType
from typing import Any

import pytest

from tests.trust.mutants import Mutant, function_in, functions_of, mutants_of
from tests.trust.mutation_targets import TARGETS, Target
from tests.waiting import wait_until

_OUT = os.dup(1)
_WITHIN = 60.0
"""Seconds after which a mutant that still runs counts as found: it would have hung."""
_PATIENCE = 2.0
"""Seconds that a test waits for what a mutant may never do; the true code did it within milliseconds."""
KILLED, TIMED_OUT, SURVIVED, UNREACHED = (
    "killed",
    "timed out",
    "survived",
    "not reached by any test",
)


class Mutating:
    """The plugin that runs the tests in place of pytest's own loop."""

    def __init__(self, seed: int, count: int, targets: tuple[Target, ...]) -> None:
        self._random = random.Random(seed)
        self._count = count
        self._targets = targets
        self._failed = False
        self._codes: dict[CodeType, str] = {}
        self._reached: dict[str, list[pytest.Item]] = {}

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
        for mutant in mutants[: self._count]:
            _tell({"name": mutant.name, "outcome": self._outcome(session, mutant)})
        return True

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note a failure."""
        self._failed = self._failed or report.failed

    def _run_all_once(self, session: pytest.Session) -> None:
        took: dict[pytest.Item, float] = {}
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
            took[item] = time.monotonic() - began
            for name in reached:
                self._reached.setdefault(name, []).append(item)
        for items in self._reached.values():
            items.sort(key=took.__getitem__)  # what is quick finds most of them

    def _outcome(self, session: pytest.Session, mutant: Mutant) -> str:
        items = self._reached.get(f"{mutant.module}.{mutant.function}", [])
        if not items:
            return UNREACHED
        child = os.fork()
        if child == 0:
            self._live(session, mutant, items)
        return _end_of(child)

    def _live(self, session: pytest.Session, mutant: Mutant, items: list[pytest.Item]) -> None:
        """Be the mutant, and end with 1 as soon as a test fails."""
        code = 2
        try:
            function = function_in(import_module(mutant.module), mutant.function)
            function.__code__ = mutant.code
            kept = wait_until.__kwdefaults__
            assert kept is not None
            kept["within"] = _PATIENCE
            for item, following in _in_a_circle(items):
                session.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
                if self._failed:
                    break
            code = 1 if self._failed else 0
        finally:
            os._exit(code)


def _in_a_circle(items: list[pytest.Item]) -> Iterator[tuple[pytest.Item, pytest.Item]]:
    """Yield each test with the one after it; after the last comes the first, so that servers stay for who is next."""
    yield from zip(items, [*items[1:], items[0]], strict=True)


def _end_of(child: int) -> str:
    handle = os.pidfd_open(child) if hasattr(os, "pidfd_open") else None
    ended = True
    if handle is not None:
        ended = bool(select.select([handle], [], [], _WITHIN)[0])
        os.close(handle)
    if not ended:
        os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    if not ended:
        return TIMED_OUT
    return SURVIVED if status == 0 else KILLED


def _tell(line: dict[str, object]) -> None:
    os.write(_OUT, (json.dumps(line) + "\n").encode())


def main(arguments: list[str]) -> int:
    """Run the groups that are named, or all."""
    seed, count, *names = arguments
    targets = tuple(one for one in TARGETS if not names or one.name in names)
    tests = sorted({test for one in targets for test in one.tests})
    options = [
        "-q",
        "-k",
        "not postgresql",
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
