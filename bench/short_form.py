"""The short form of every row, a few at a time, so that CI can afford it: it shows that no row rots, and no more.

What runs beside others is measured worse than alone; the bounds are generous, and a row that breaks one is
measured once more by itself before that counts.
"""

import multiprocessing
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from multiprocessing import connection
from pathlib import Path

_LANES = 3
"""More than there are cores: much of each row is waiting for a program to start or for a pause to end."""
_LONGEST_FIRST = (1, 3, 10, 4, 6, 9, 2, 14, 7, 13, 8)
"""The rows that take long, so that none of them is left for the end, when the other lanes have nothing to do."""
_SECONDS = 120.0


Measure = Callable[[int], bool]
"""Measures the rows of a number, prints them, and tells whether they kept within their bounds."""


def short_form(numbers: Iterable[int], measure: Measure) -> int:
    """Measure these rows in processes of their own and print them; return 1 if one missed its bounds twice."""
    began = time.monotonic()
    missed = _measured(sorted(set(numbers), key=_place), measure, _LANES)
    for number in missed:
        sys.stdout.write(f"{number:>2}  once more, alone:\n")
    again = _measured(missed, measure, 1)
    sys.stdout.write(f"{time.monotonic() - began:.0f} s in all\n")
    return 1 if again else 0


def _place(number: int) -> int:
    return _LONGEST_FIRST.index(number) if number in _LONGEST_FIRST else len(_LONGEST_FIRST)


def _measured(numbers: list[int], measure: Measure, lanes: int) -> list[int]:
    """Measure these, so many at a time, and return those that missed their bounds."""
    waiting, running, missed = list(numbers), list[_Running](), list[int]()
    with tempfile.TemporaryDirectory(prefix="kb-bench-") as folder:
        while waiting or running:
            while waiting and len(running) < lanes:
                running.append(_Running(waiting.pop(0), measure, Path(folder)))
            connection.wait([one.process.sentinel for one in running], timeout=1)
            for one in [one for one in running if one.over]:
                running.remove(one)
                if not one.told():
                    missed.append(one.number)
    return missed


class _Running:
    """A row that is being measured in a process forked from this one: to import all of it takes longer than many a row.

    Nothing here may start a thread before that.
    """

    def __init__(self, number: int, measure: Measure, folder: Path) -> None:
        self.number = number
        self._said = folder / str(number)
        self._said.touch()
        self._until = time.monotonic() + _SECONDS
        self.process = multiprocessing.get_context("fork").Process(
            target=_into, args=(self._said, measure, number)
        )
        self.process.start()

    @property
    def over(self) -> bool:
        """Whether it has ended, or has had its time."""
        return not self.process.is_alive() or time.monotonic() > self._until

    def told(self) -> bool:
        """Print what it said; tell whether it kept within its bounds."""
        if self.process.is_alive():
            self.process.kill()
            sys.stdout.write(f"{self.number:>2}  did not end within {_SECONDS:.0f} s\n")
        self.process.join()
        sys.stdout.write(self._said.read_text(encoding="utf-8"))
        sys.stdout.flush()
        return self.process.exitcode == 0


def _into(said: Path, measure: Measure, number: int) -> None:
    with said.open("wb") as file:
        os.dup2(file.fileno(), sys.stdout.fileno())
        os.dup2(file.fileno(), sys.stderr.fileno())
    sys.exit(0 if measure(number) else 1)
