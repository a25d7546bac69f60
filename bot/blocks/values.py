"""Values as Slack shows them: text made harmless, times in the reader's own zone, numbers to sort by."""

import math
from datetime import UTC, datetime, timedelta

from bot.blocks.text import inert, literal
from knowledge_base_agent.report import Tone, Value
from knowledge_base_agent.wording import UNKNOWN, worded

ICONS = {Tone.NEUTRAL: "", Tone.GOOD: "✅", Tone.WARNING: "⚠️", Tone.BAD: "🔴"}
_BAR = 10


def said(value: Value, limit: int = 300) -> str:
    """Return a value as literal text of one line."""
    if isinstance(value, str):
        return literal(value, limit)
    if isinstance(value, float) and not math.isfinite(value):
        return UNKNOWN
    return worded(value)


def marked(value: Value, limit: int = 300) -> str:
    """Return a value for `mrkdwn`: times in the reader's own zone, and text from outside inert."""
    if isinstance(value, datetime):
        return local_moment(value)
    return inert(value, limit) if isinstance(value, str) and value else said(value, limit)


def moment(at: datetime) -> str:
    """Return a moment in UTC to the second."""
    return worded(at.astimezone(UTC))


def local_moment(at: datetime) -> str:
    """Return Slack's date token: each reader sees their own time zone; elsewhere the UTC text is shown."""
    return f"<!date^{int(at.timestamp())}^{{date_short_pretty}} {{time_secs}}^{moment(at)}>"


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
