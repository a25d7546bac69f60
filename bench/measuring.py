"""Timing things against each other: one round of each after another, so that a slow moment hits all of them alike."""

import gc
import os
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Timing:
    """Seconds of each round of one contestant."""

    seconds: tuple[float, ...]

    @property
    def median(self) -> float:
        """The middle one, in seconds."""
        return statistics.median(self.seconds)

    @property
    def p95(self) -> float:
        """What 95 of 100 rounds stay under, in seconds."""
        return self.at(0.95)

    def at(self, share: float) -> float:
        """Return what this share (0 to 1) of the rounds stays under, in seconds."""
        return quantile(self.seconds, share)

    @property
    def most(self) -> float:
        """The slowest round, in seconds."""
        return max(self.seconds)


def quantile(values: Sequence[float], share: float) -> float:
    """Return the value that `share` (0 to 1) of them do not exceed."""
    ordered = sorted(values)
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)]


def medians(
    found: Mapping[str, Sequence[tuple[float, float]]],
) -> tuple[dict[str, float], dict[str, float]]:
    """Return each contestant's median seconds, and those of what another client waited at most beside it."""
    took = {name: statistics.median(one for one, _ in each) for name, each in found.items()}
    stall = {name: statistics.median(one for _, one in each) for name, each in found.items()}
    return took, stall


def timed(function: Callable[[], object]) -> float:
    """Return how many seconds one call took."""
    started = time.perf_counter()
    function()
    return time.perf_counter() - started


def interleaved(
    contestants: Mapping[str, Callable[[], object]],
    *,
    rounds: int,
    every: Mapping[str, int] | None = None,
    warm: int = 1,
) -> dict[str, Timing]:
    """Time each contestant once a round, in turn; `every` lets a slow one take part in each nth round only.

    `warm` rounds come first and are not counted: connections, imports and caches belong to no round.
    """
    skip = every or {}
    for _ in range(warm):
        for function in contestants.values():
            function()
    seconds: dict[str, list[float]] = {name: [] for name in contestants}
    gc.collect()
    for number in range(rounds):
        for name, function in contestants.items():
            if number % skip.get(name, 1) == 0:
                seconds[name].append(timed(function))
    return {name: Timing(seconds=tuple(found)) for name, found in seconds.items()}


def megabytes(pid: int) -> float:
    """Return how much memory a process holds now, in MB."""
    pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6
