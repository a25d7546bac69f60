"""`python -m tests.trust.guarding`: each guard's test with and without it, one JSON line each, in one pytest session.

The tests are collected once. Each test runs in a fork of this process as it is, and in another one where its guard is
taken out before the test is set up; the files stay as they are, and no fork knows of another.
"""

import json
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass

import pytest

from tests.trust.forks import Ended, each_in_a_fork
from tests.trust.guards import GUARDS, Guard

_OUT, _ERRORS = os.dup(1), os.dup(2)
_WITHIN = 100.0
"""Seconds after which a test that still runs is ended: it has neither failed nor passed."""
PASSED, FAILED = "passed", "failed"
_PASSED, _NOTICED, _BROKE = 0, 1, 2
_OUTCOMES = {
    _PASSED: PASSED,
    _NOTICED: FAILED,
    _BROKE: "could not be run",
    None: "its process broke off",
}


@dataclass(frozen=True, kw_only=True)
class Life:
    """A fork in which a guard's test runs: `without` it, or as the product is."""

    guard: Guard
    without: bool


class Guarding:
    """The plugin that runs the tests in place of pytest's own loop."""

    def __init__(self) -> None:
        self._phases: set[str] = set()

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Run each in its forks, a few at a time."""

        def live(life: Life) -> int:
            return self._live(life, session.items)

        lives = (Life(guard=guard, without=out) for guard in GUARDS for out in (False, True))
        cores = os.cpu_count() or 1
        for ended in each_in_a_fork(lives, live, at_once=cores, within=_WITHIN):
            line = {"number": GUARDS.index(ended.task.guard), "without": ended.task.without}
            os.write(_OUT, (json.dumps(line | {"outcome": _outcome(ended)}) + "\n").encode())
        return True

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note where it failed, and tell how, for whoever wonders."""
        if report.failed:
            self._phases.add(report.when)
            os.write(_ERRORS, f"{report.nodeid}, {report.when}:\n{report.longreprtext}\n".encode())

    def _live(self, life: Life, items: Sequence[pytest.Item]) -> int:
        if life.without:
            life.guard.take_out()
        named = [item for item in items if item.nodeid.partition("[")[0] == life.guard.test]
        for item in named:
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=None)
        if self._phases == {"call"}:
            return _NOTICED
        return _BROKE if self._phases or not named else _PASSED


def _outcome(ended: Ended[Life]) -> str:
    return _OUTCOMES[ended.answer] if ended.in_time else "did not end"


def main() -> int:
    """Run them all; return pytest's exit code."""
    tests = sorted({guard.test for guard in GUARDS})
    options = ["-q", "-p", "no:cacheprovider", "-p", "no:xdist"]
    return int(pytest.main([*options, *tests], plugins=[Guarding()]))


if __name__ == "__main__":
    os.dup2(2, 1)  # what pytest prints goes where errors go
    sys.exit(main())
