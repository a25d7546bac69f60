"""How values read to a person, the same in Slack and in the shell."""

from datetime import datetime, timedelta

from knowledge_base_agent.report import Size, Value

UNKNOWN = "unknown"
_STEPS = ((86400, "d"), (3600, "h"), (60, "min"), (1, "s"))


def worded(value: Value) -> str:
    """Return the value as a person reads it; None is "unknown", never zero. Datetimes are in UTC and say so."""
    if value is None:
        return UNKNOWN
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Size):
        return size(value)
    if isinstance(value, timedelta):
        return duration(value)
    if isinstance(value, datetime):
        return f"{value.isoformat(' ', 'seconds')[:19]} UTC"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:,.1f}"
    return value


def duration(value: timedelta) -> str:
    """Return a duration in its two largest units: `3 h 12 min`, `41 s`, `0.4 ms`. Below zero is clock skew."""
    seconds = value.total_seconds()
    if seconds < 0:
        return f"−{duration(-value)} (clock skew)"
    if 0 < seconds < 1:
        return f"{seconds * 1000:.{1 if seconds < 0.01 else 0}f} ms"
    if seconds < 10:
        return f"{seconds:.1f}".removesuffix(".0") + " s"
    rest = int(seconds)
    parts: list[tuple[int, str]] = []
    for length, unit in _STEPS:
        amount, rest = divmod(rest, length)
        if amount or parts:
            parts.append((amount, unit))
    return " ".join(f"{amount} {unit}" for amount, unit in parts[:2] if amount)


def size(amount: int) -> str:
    """Return a number of bytes in steps of 1000: `512 B`, `1.2 MB`."""
    value = float(amount)
    for unit in ("B", "kB", "MB", "GB"):
        if value < 1000:
            return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1000
    return f"{value:.1f} TB"


def counted(number: int | None, one: str, many: str = "") -> str:
    """Return `1 task`, `12 tasks`, or `an unknown number of tasks`."""
    many = many or f"{one}s"
    if number is None:
        return f"an unknown number of {many}"
    return f"{number:,} {one if number == 1 else many}"
