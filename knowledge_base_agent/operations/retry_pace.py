"""How fast tasks are sent again, and for how long that goes on."""

import re
from datetime import timedelta
from typing import Final

from knowledge_base_agent.problems import Misunderstood
from knowledge_base_agent.wording import counted, duration

_RATE: Final = re.compile(r"(?P<number>[0-9]{1,4}(?:\.[0-9]{1,2})?)/(?P<unit>s|m|h)", re.IGNORECASE)
_SECONDS: Final = {"s": 1, "m": 60, "h": 3600}
_FASTEST: Final = 100.0
_LONGEST: Final = timedelta(hours=2)


def read_rate(text: str) -> float:
    """Read `5/s`, `30/m`, `100/h`, as a number a second."""
    match = _RATE.fullmatch(text.strip())
    found = float(match["number"]) / _SECONDS[match["unit"].lower()] if match else 0.0
    if not 0 < found <= _FASTEST:
        raise ValueError("a number a second, minute or hour, of at most 100 a second")
    return found


def how_long(number: int, rate: float) -> timedelta:
    """Return how long the sending of so many takes, `rate` a second. Raises `Misunderstood` above two hours."""
    takes = timedelta(seconds=max(number - 1, 0) / rate)
    if takes > _LONGEST:
        raise Misunderstood(
            f"At this rate {counted(number, 'task')} take {duration(takes)}, and a run lasts {duration(_LONGEST)} at "
            "most.",
            "Send them faster, or fewer at once: --rate, --since and --until.",
        )
    return takes


def lasting(takes: timedelta) -> str:
    """Return how long it takes as part of a sentence, where anybody would notice."""
    return f" (about {duration(takes)})" if takes > timedelta(seconds=1) else ""
