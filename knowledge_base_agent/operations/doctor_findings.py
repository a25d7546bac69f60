"""One thing that `doctor` looked at: what was found, how good that is, and what cures it."""

from enum import Enum

from msgspec import Struct

from knowledge_base_agent.report import Tone


class Verdict(Enum):
    """How good it is. `unknown` is never good: it says what could not be seen, and why."""

    OK = "OK"
    WARNING = "warning"
    BAD = "bad"
    UNKNOWN = "unknown"

    @property
    def tone(self) -> Tone:
        """How it looks at a glance."""
        return _TONES[self]


_TONES = {
    Verdict.OK: Tone.GOOD,
    Verdict.WARNING: Tone.WARNING,
    Verdict.BAD: Tone.BAD,
    Verdict.UNKNOWN: Tone.WARNING,
}


class Finding(Struct, frozen=True, kw_only=True):
    """One row of the answer. `cure` is empty only where nothing is wrong."""

    check: str
    verdict: Verdict
    found: str
    cure: str = ""


def fine(check: str, found: str) -> Finding:
    """Return a finding with nothing wrong."""
    return Finding(check=check, verdict=Verdict.OK, found=found)


def warning(check: str, found: str, cure: str) -> Finding:
    """Return a finding that will cost something some day."""
    return Finding(check=check, verdict=Verdict.WARNING, found=found, cure=cure)


def bad(check: str, found: str, cure: str) -> Finding:
    """Return a finding that costs something now."""
    return Finding(check=check, verdict=Verdict.BAD, found=found, cure=cure)


def unknown(check: str, why: str, cure: str) -> Finding:
    """Return a finding about what could not be seen."""
    return Finding(check=check, verdict=Verdict.UNKNOWN, found=why, cure=cure)
