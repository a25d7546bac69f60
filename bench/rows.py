"""What a row of the table is: a question, what was measured for it, and what it must reach."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True)
class Scale:
    """How much is measured: the whole, or a short form that only shows that no row rots."""

    smoke: bool

    def choose(self, full: int, smoke: int) -> int:
        """Return the number that fits."""
        return smoke if self.smoke else full


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One measured value, as it is printed."""

    label: str
    value: str


@dataclass(frozen=True, kw_only=True)
class Goal:
    """One ratio (or figure) that a row must reach. `smoke` is the generous bound of the short form."""

    label: str
    reached: float | None
    """None where it was not measured in this run; that is never called reached."""
    bound: float
    at_least: bool
    smoke: float
    unit: str = "×"

    def met(self, scale: Scale) -> bool:
        """Tell whether it is reached."""
        if self.reached is None:
            return False
        bound = self.smoke if scale.smoke else self.bound
        return self.reached >= bound if self.at_least else self.reached <= bound

    def said(self, scale: Scale) -> str:
        """Return the goal and what was reached, in one phrase."""
        bound = self.smoke if scale.smoke else self.bound
        sign = "≥" if self.at_least else "≤"
        reached = "not measured" if self.reached is None else f"{digits(self.reached)} {self.unit}"
        return f"{self.label}: {reached} (goal {sign} {bound:g} {self.unit})"


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What one row measured."""

    figures: tuple[Figure, ...]
    goals: tuple[Goal, ...]
    notes: tuple[str, ...] = ()
    costs: Mapping[str, float] = field(default_factory=dict)
    """What one of something costs, by the names that `bench.scale_on_paper` calculates with."""
    skipped: str = ""
    """Why nothing was measured, where a server is not there: that is neither reached nor missed."""

    def met(self, scale: Scale) -> bool:
        """Tell whether every goal is reached."""
        return all(goal.met(scale) for goal in self.goals)


@dataclass(frozen=True, kw_only=True)
class Row:
    """One row of the table. `run` measures it, and raises what it must not go on without."""

    number: int
    title: str
    run: Callable[[Scale], Outcome]
    needs: tuple[str, ...] = field(default=())
    """Servers beyond the private Valkey: "PostgreSQL", "RabbitMQ"."""


def at_least(
    label: str, reached: float | None, bound: float, *, smoke: float, unit: str = "×"
) -> Goal:
    """Return a goal that is reached from `bound` upwards."""
    return Goal(label=label, reached=reached, bound=bound, at_least=True, smoke=smoke, unit=unit)


def at_most(
    label: str, reached: float | None, bound: float, *, smoke: float, unit: str = "×"
) -> Goal:
    """Return a goal that is reached up to `bound`."""
    return Goal(label=label, reached=reached, bound=bound, at_least=False, smoke=smoke, unit=unit)


def milliseconds(label: str, seconds: float) -> Figure:
    """Return a figure in ms."""
    return Figure(label=label, value=f"{digits(seconds * 1000)} ms")


def digits(number: float) -> str:
    """Return the three digits of a number that count, with its thousands apart and without an exponent."""
    return f"{float(f'{number:.3g}'):,.12g}"
