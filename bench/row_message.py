"""Row 12: a message of 50 rows: built, checked against Slack's limits, and made JSON."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from slack_sdk.models.blocks import MarkdownTextObject, SectionBlock

from bench.measuring import interleaved
from bench.rows import Outcome, Row, Scale, at_most, milliseconds
from bot.blocks.report import report_message
from bot.slack_client import as_json
from knowledge_base_agent.report import Column, Report, Table
from knowledge_base_agent.report import Row as ReportRow

_NOW = datetime(2026, 11, 23, 3, 12, tzinfo=UTC)
_KEYS = ("name", "state", "since", "worker", "queue", "error", "id")
_FIFTY = tuple(
    (
        f"shop.pay_{number}",
        "FAILURE",
        _NOW - timedelta(hours=number),
        f"w{number}@host",
        "celery",
        "ValueError: no price",
        f"{number:08x}-aaaa-bbbb-cccc-1234567890ab",
    )
    for number in range(50)
)


def _report() -> Report:
    columns = tuple(Column(key=key, label=key.title()) for key in _KEYS)
    rows = tuple(ReportRow(cells=cells) for cells in _FIFTY)
    table = Table(caption="Tasks", columns=columns, rows=rows, total=50)
    return Report(title="Found", text="50 tasks.", parts=(table,), taken_at=_NOW)


def _ours() -> str:
    return as_json(report_message(_report(), _NOW).blocks)


def _slack_sdk() -> str:
    texts = (" ".join(str(cell) for cell in cells) for cells in _FIFTY)
    blocks = [SectionBlock(text=MarkdownTextObject(text=text)) for text in texts]
    return json.dumps([block.to_dict() for block in blocks])


def _dicts() -> str:
    texts = (" ".join(str(cell) for cell in cells) for cells in _FIFTY)
    return json.dumps(
        [{"type": "section", "text": {"type": "mrkdwn", "text": text}} for text in texts]
    )


def _message(scale: Scale) -> Outcome:
    contestants: dict[str, Callable[[], object]] = {
        "ours": _ours,
        "50 slack_sdk sections": _slack_sdk,
        "dicts, unchecked": _dicts,
    }
    found = interleaved(contestants, rounds=scale.choose(200, 20))
    return Outcome(
        figures=tuple(milliseconds(name, timing.median) for name, timing in found.items()),
        goals=(at_most("ours", found["ours"].median * 1000, 1, smoke=20, unit="ms"),),
    )


MESSAGE = Row(number=12, title="A message of 50 rows", run=_message)
