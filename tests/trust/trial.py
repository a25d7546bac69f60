"""One experiment while it goes on: how much it is to do, how much it has done, and what it has seen go wrong."""

import json
import random
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path

_SAVE_EVERY = 1.0
_DETAILS_KEPT = 5


@dataclass(frozen=True, kw_only=True)
class Figures:
    """What came of an experiment, as values that JSON can hold."""

    seed: int
    wanted: int
    reached: int
    details: dict[str, int] = field(default_factory=dict)
    """Of what the reached number is made, or what else was counted."""
    never: dict[str, int] = field(default_factory=dict)
    """How often that which must never happen happened."""
    slowest: dict[str, float] = field(default_factory=dict)
    """The longest of what was timed, in seconds."""
    shares: dict[str, float] = field(default_factory=dict)
    """Percentages."""
    seen: tuple[str, ...] = ()
    """The first few of what went wrong, in words."""
    left_out: tuple[str, ...] = ()
    """What was not counted, and why."""
    finished: bool = False
    """The experiment came to its own end, whether or not it reached its count."""

    @property
    def broken(self) -> int:
        """How often something happened that must never happen."""
        return sum(self.never.values())


class Trial:
    """Counts for an experiment. Saves what it has now and then, so that a count that is cut short is not lost.

    `minutes` is the time after which `goes_on` turns false; the experiment then ends with the number it has reached.
    """

    def __init__(
        self, *, count: int, seed: int, minutes: float = 60.0, save: Path | None = None
    ) -> None:
        self.count = count
        self.seed = seed
        self.random = random.Random(seed)
        self._ends_at = time.monotonic() + minutes * 60
        self._save = save
        self._saved_at = 0.0
        self._reached = 0
        self._details: dict[str, int] = {}
        self._never: dict[str, int] = {}
        self._slowest: dict[str, float] = {}
        self._shares: dict[str, float] = {}
        self._seen: list[str] = []
        self._left_out: list[str] = []

    @property
    def reached(self) -> int:
        """How much has been done."""
        return self._reached

    @property
    def seconds_left(self) -> float:
        """How long the experiment may still take; never below zero."""
        return max(0.0, self._ends_at - time.monotonic())

    def goes_on(self, *, up_to: float = 1.0) -> bool:
        """Tell whether there is more to do; `up_to` is the share of the count (and time) that this part may use."""
        return self._reached < self.count * up_to and self.seconds_left > 0

    def did(self, what: str = "", times: int = 1) -> None:
        """Count something towards the number; `what` says of which kind it was."""
        self._reached += times
        if what:
            self.also(what, times)
        if time.monotonic() - self._saved_at > _SAVE_EVERY:
            self.keep()

    def also(self, what: str, times: int = 1) -> None:
        """Count something beside the number."""
        self._details[what] = self._details.get(what, 0) + times

    def that_is_all(self) -> None:
        """Say that there is no more to count than what was, though more was asked for."""
        self.count = min(self.count, self._reached)

    def never(self, *kinds: str) -> None:
        """Say what must never happen, so that its zero is told."""
        for kind in kinds:
            self._never.setdefault(kind, 0)

    def saw(self, kind: str, how: str) -> None:
        """Record that something happened that must never happen, and how it can be looked at."""
        self._never[kind] = self._never.get(kind, 0) + 1
        if len(self._seen) < _DETAILS_KEPT:
            self._seen.append(f"{kind}: {how}")

    def took(self, what: str, seconds: float) -> None:
        """Time something; the longest is told."""
        self._slowest[what] = max(seconds, self._slowest.get(what, 0.0))

    def share(self, what: str, part: int, whole: int) -> None:
        """Tell a percentage."""
        self._shares[what] = 100.0 * part / whole if whole else 0.0

    def left_out(self, what: str) -> None:
        """Say what was not counted, and why."""
        self._left_out.append(what)

    def figures(self, *, finished: bool = True) -> Figures:
        """Return what has been counted so far."""
        return Figures(
            seed=self.seed,
            wanted=self.count,
            reached=self._reached,
            details=dict(self._details),
            never=dict(self._never),
            slowest=dict(self._slowest),
            shares=dict(self._shares),
            seen=tuple(self._seen),
            left_out=tuple(self._left_out),
            finished=finished,
        )

    def keep(self, *, finished: bool = False) -> None:
        """Save what has been counted so far."""
        self._saved_at = time.monotonic()
        if self._save is not None:
            fresh = self._save.with_suffix(".new")
            fresh.write_text(json.dumps(asdict(self.figures(finished=finished))), encoding="utf-8")
            fresh.replace(self._save)

    def holds(self) -> None:
        """Fail unless the whole count was reached and nothing went wrong; what is printed replays it."""
        figures = self.figures()
        print(f"seed {self.seed}: {figures}")
        assert not figures.broken, figures.seen
        assert figures.reached >= figures.wanted, figures
