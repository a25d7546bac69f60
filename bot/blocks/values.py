"""Values as people read them: `None` is "unknown", never zero; times are UTC, or the reader's own where Slack can."""

import math
from datetime import UTC, datetime, timedelta

from bot.blocks.text import inert, literal
from knowledge_base_agent.report import Size, Tone, Value

UNKNOWN = "unknown"
ICONS = {Tone.NEUTRAL: "", Tone.GOOD: "✅", Tone.WARNING: "⚠️", Tone.BAD: "🔴"}
_GROUPED_FROM = 10_000
_BAR = 10


def said(value: Value, limit: int = 300) -> str:
    """Return a value as literal text of one line."""
    if value is None:
        return UNKNOWN
    if isinstance(value, str):
        return literal(value, limit)
    if isinstance(value, datetime):
        return moment(value)
    if isinstance(value, timedelta):
        return duration(value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Size):
        return size(value)
    return number(value)


def marked(value: Value, limit: int = 300) -> str:
    """Return a value for `mrkdwn`: times in the reader's own zone, and text from outside inert."""
    if isinstance(value, datetime):
        return local_moment(value)
    return inert(value, limit) if isinstance(value, str) and value else said(value, limit)


def moment(at: datetime) -> str:
    """Return a moment in UTC to the second."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def local_moment(at: datetime) -> str:
    """Return Slack's date token: each reader sees their own time zone; elsewhere the UTC text is shown."""
    return f"<!date^{int(at.timestamp())}^{{date_short_pretty}} {{time_secs}}^{moment(at)}>"


def duration(span: timedelta) -> str:
    """Return a time span in its two largest units: "3 h 12 min". A negative one keeps its sign."""
    seconds = span.total_seconds()
    if seconds < 0:
        return f"−{duration(-span)}"
    if seconds < 10 and seconds != int(seconds):
        return f"{seconds:.1f} s"
    whole = int(seconds)
    units = (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1))
    for index, (name, length) in enumerate(units):
        if whole >= length:
            first, rest = divmod(whole, length)
            smaller = units[index + 1] if index + 1 < len(units) else None
            second = rest // smaller[1] if smaller else 0
            return (
                f"{first} {name} {second} {smaller[0]}" if smaller and second else f"{first} {name}"
            )
    return "0 s"


def size(octets: int) -> str:
    """Return a number of bytes in steps of 1,000: "1.5 MB"."""
    amount = float(octets)
    for unit in ("B", "kB", "MB", "GB"):
        if abs(amount) < 1000:
            return f"{amount:.0f} B" if unit == "B" else f"{amount:.1f} {unit}"
        amount /= 1000
    return f"{amount:,.1f} TB"


def number(value: float) -> str:
    """Return a number without needless digits; what is no number is unknown."""
    if isinstance(value, float):
        if not math.isfinite(value):
            return UNKNOWN
        if value != int(value):
            return f"{value:,.2f}"
        value = int(value)
    return f"{value:,}" if abs(value) >= _GROUPED_FROM else str(value)


def share(done: float) -> str:
    """Return a share of 0 to 1 as a bar that is made of text."""
    kept = min(max(done, 0.0), 1.0) if math.isfinite(done) else 0.0
    full = int(kept * _BAR)
    return f"{'▓' * full}{'░' * (_BAR - full)} {int(kept * 100)} %"


def sortable(value: Value) -> float | None:
    """Return the number that Slack sorts a cell by, or None where text sorts right."""
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    # Beyond this, JSON readers that use doubles would show another number.
    return value if math.isfinite(value) and abs(value) < 2**53 else None


def with_icon(text: str, tone: Tone) -> str:
    """Return the text after the icon of its tone, if it has one."""
    return f"{ICONS[tone]} {text}" if ICONS[tone] else text
