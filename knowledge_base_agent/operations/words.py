"""What reads the values that people write after flags. Each raises ValueError saying what is allowed."""

import re
from datetime import timedelta

from knowledge_base_agent.records.states import STATES

_PART = r"([0-9]{1,9}(?:\.[0-9]{1,3})?)(s|sec|m|min|h|hours?|d|days?|w)"
_DURATION = re.compile(rf"(?:{_PART})+", re.IGNORECASE)
_PARTS = re.compile(_PART, re.IGNORECASE)
_HOURS = re.compile(r"[0-9]{1,9}(?:\.[0-9]{1,3})?")
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_MEANT_AS_FLAGS = {"dry-run", "no-undo", "repeat", "terminate"}
_TASK_ID = re.compile(r"[A-Za-z0-9_.:-]{1,128}")
_LONGEST = timedelta(days=3650)


def duration(text: str) -> timedelta:
    """Read `12` (hours, as the guide has it), `3h`, `90m`, `10s`, `7d`, `2w`, `1h30m`."""
    text = text.strip()
    if _HOURS.fullmatch(text):
        text = f"{text}h"
    if not _DURATION.fullmatch(text):
        if re.fullmatch(r"[0-9.]+[smhdw]?", text, re.IGNORECASE):
            raise ValueError("a time is at most ten years")
        raise ValueError("a time is a number of hours, or has a unit: s, m, h, d or w")
    seconds = sum(float(number) * _UNITS[unit[0].lower()] for number, unit in _PARTS.findall(text))
    if seconds > _LONGEST.total_seconds():
        raise ValueError("a time is at most ten years")
    return timedelta(seconds=seconds)


def task_id(text: str) -> str:
    """Read an exact task id: never a pattern, which would match more than was meant.

    What people copy along with it (backticks, quotes, brackets, a comma at its end) is left off.
    """
    text = text.strip("`'\"<>()[],; ")
    if text.lstrip("-").lower() in _MEANT_AS_FLAGS:
        # Out of brackets or backticks, or behind a dash that stands alone: to look first was meant, and no task.
        raise ValueError(
            f"a task id, and no flag: write --{text.lstrip('-').lower()} as it is, alone"
        )
    if not _TASK_ID.fullmatch(text):
        raise ValueError("a task id has 1 to 128 letters, digits and _ . : - (no patterns)")
    return text


def run_id(text: str) -> str:
    """Read the name of a run, `op-12`, or its number alone."""
    text = text.strip("`'\"<>()[],;. ").lower().removeprefix("op-")
    if not (text.isascii() and text.isdigit() and len(text) <= 15):
        raise ValueError("a run is named like op-12")
    return f"op-{int(text)}"


def queue(text: str) -> str:
    """Read the name of a queue; whether there is one is looked up later."""
    if not text.strip() or len(text) > 200 or not text.isprintable():
        raise ValueError("the name of a queue")
    return text


def count(text: str) -> int:
    """Read a number of things, from 1 to 1000."""
    if not (text.isascii() and text.isdigit() and 1 <= int(text[:9]) <= 1000):
        raise ValueError("a whole number from 1 to 1000")
    return int(text)


def free_text(text: str) -> str:
    """Read any text of at most 2,000 characters."""
    if not text.strip():
        raise ValueError("some text")
    if len(text) > 2000:
        raise ValueError("at most 2,000 characters")
    return text


def state(text: str) -> str:
    """Read a task state, in any case."""
    found = text.upper()
    if found not in STATES:
        raise ValueError("one of " + ", ".join(STATES))
    return found
