"""The short form of every row, a few at a time, so that CI can afford it: it shows that no row rots, and no more.

What runs beside others is measured worse than alone; the bounds are generous, and a row that breaks one is
measured once more by itself before that counts.
"""

import subprocess
import sys
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor, as_completed

_LANES = 3
"""More than there are cores: much of each row is waiting for a program to start or for a pause to end."""
_LONGEST_FIRST = (1, 3, 10, 4, 6, 9, 2, 14, 7, 13, 8)
"""The rows that take long, so that none of them is left for the end, when the other lanes have nothing to do."""
_SECONDS = 120.0


def short_form(numbers: Iterable[int]) -> int:
    """Measure these rows in processes of their own and print them; return 1 if one missed its bounds twice."""
    began = time.monotonic()
    waiting = sorted(set(numbers), key=_place)
    with ThreadPoolExecutor(_LANES) as pool:
        running = {pool.submit(_measured, number): number for number in waiting}
        missed = [running[done] for done in as_completed(running) if not done.result()]
    for number in missed:
        sys.stdout.write(f"{number:>2}  once more, alone:\n")
    again = [number for number in missed if not _measured(number)]
    sys.stdout.write(f"{time.monotonic() - began:.0f} s in all\n")
    return 1 if again else 0


def _place(number: int) -> int:
    return _LONGEST_FIRST.index(number) if number in _LONGEST_FIRST else len(_LONGEST_FIRST)


def _measured(number: int) -> bool:
    command = [sys.executable, "-m", "bench", "--smoke", "--only", str(number)]
    try:
        ended = subprocess.run(
            command, capture_output=True, text=True, timeout=_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        sys.stdout.write(f"{number:>2}  did not end within {_SECONDS:.0f} s\n")
        return False
    sys.stdout.write(ended.stdout + ended.stderr)
    sys.stdout.flush()
    return ended.returncode == 0
