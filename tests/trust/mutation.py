"""The guards are got wrong one change at a time, and the tests must notice: authorisation, claim, fingerprint, audit.

A library would be preferred; none fits: mutmut works on a copy of the whole tree, cosmic-ray on the files themselves,
and neither takes a list of functions, a seed and a time. Here a mutant lives in a fork of a running pytest session.
"""

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

from tests.trust.mutation_targets import EQUIVALENT, TARGETS
from tests.trust.place import Place
from tests.trust.trial import Trial

TOO_LOW = "guards with less than 90 % of their mutants found"
_WANTED = 90.0
_ROOT = Path(__file__).parents[2]
_FOUND = ("killed", "timed out")


def run(trial: Trial, place: Place) -> None:
    """Go through the guards, a share of the count each; a count above what there is means all of them."""
    for index, target in enumerate(TARGETS):
        left = -(-(trial.count - trial.reached) // (len(TARGETS) - index))
        count_group(trial, target.name, left, seconds=trial.seconds_left / (len(TARGETS) - index))
    if trial.seconds_left > 0:
        trial.that_is_all()


def count_group(trial: Trial, group: str, count: int, *, seconds: float) -> None:
    """Try so many mutants of one guard, chosen by the seed, for so long at most."""
    trial.never(TOO_LOW)
    before = trial.reached
    outcomes = dict(_outcomes(trial, group, count, seconds))
    found = sum(1 for outcome in outcomes.values() if outcome in _FOUND)
    if trial.reached == before:
        trial.saw(TOO_LOW, f"{group}: none was tried; its tests fail, or took all of the time")
    if outcomes:
        trial.share(f"of the mutants of {group} found", found, len(outcomes))
    if 100.0 * found < _WANTED * len(outcomes):
        trial.saw(TOO_LOW, f"{group}: {found} of {len(outcomes)}")
    for name, outcome in outcomes.items():
        if outcome not in _FOUND:
            trial.left_out(f"{outcome}: {name}")


def _outcomes(trial: Trial, group: str, count: int, seconds: float) -> Iterator[tuple[str, str]]:
    """Yield each mutant's name and what became of it; those known to change nothing are left out."""
    words = [sys.executable, "-m", "tests.trust.mutating", str(trial.seed), str(count), group]
    with subprocess.Popen(
        words, cwd=_ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True
    ) as session:
        assert session.stdout is not None
        timer = threading.Timer(seconds, _end, [session])
        timer.start()
        try:
            for line in session.stdout:
                told = json.loads(line)
                if "mutants" in told:
                    trial.also(f"mutants of {group} there are", told["mutants"])
                elif told["name"].rpartition(" (line ")[0] not in EQUIVALENT:
                    trial.did(f"of {group}")
                    yield told["name"], told["outcome"]
        finally:
            timer.cancel()
            _end(session)


def _end(session: "subprocess.Popen[bytes]") -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(session.pid, signal.SIGKILL)
