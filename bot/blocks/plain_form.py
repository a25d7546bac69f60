"""A report for clients and workspaces that refuse new blocks: sections and buttons only, and text alone."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import partial

from slackblocks import SectionBlock
from slackblocks.blocks import Block

from bot.blocks.buttons import action_rows
from bot.blocks.charts import chart_lines
from bot.blocks.drawn import Json, rendered, rendered_if_it_fits
from bot.blocks.tables import few_with_actions, row_menus, row_sections, summary, table_lines
from bot.blocks.text import lines, literal, plain_lines
from bot.blocks.values import said, with_icon
from knowledge_base_agent.report import Chart, Fact, Facts, Note, Part, Passages, Report, Table
from knowledge_base_agent.wording import duration

_SECTION = 2900
_TEXT = 3500
_STEPS = (40, 20, 10, 5, 2)
_ROWS_IN_TEXT = 5


def plain_form(report: Report, now: datetime, *, foot: Sequence[Block] = ()) -> tuple[Json, ...]:
    """Draw a report with what every Slack client has drawn for years: sections, buttons and menus."""
    for most_rows in _STEPS:
        drawn = rendered_if_it_fits(partial(_whole, report, now, most_rows, foot))
        if drawn:
            return drawn
    return rendered([SectionBlock(plain_lines(text_form(report, now), _SECTION)), *foot])


def _whole(report: Report, now: datetime, most_rows: int, foot: Sequence[Block]) -> list[Block]:
    pieces = [piece for part in report.parts for piece in _pieces(part, most_rows)]
    return [*_packed([*_head(report, now), *pieces]), *action_rows(report.actions), *foot]


def text_form(report: Report, now: datetime) -> str:
    """Return what a notification, a screen reader, or a client without blocks gets: literal, several lines."""
    found = _head(report, now)
    for part in report.parts:
        found.extend(_lines(part, _ROWS_IN_TEXT))
    return cut("\n".join(found), _TEXT)


def cut(text: str, limit: int) -> str:
    """Return text cut at the end, with a mark where it was cut."""
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _head(report: Report, now: datetime) -> list[str]:
    title = with_icon(literal(report.title, 150), report.tone)
    found = [f"{title}: {literal(report.text, 1500)}" if report.text else title]
    if report.taken_at is not None and (now - report.taken_at).total_seconds() > 5:
        found.append(f"Read {duration(now - report.taken_at)} ago.")
    return found


def _pieces(part: Part, most_rows: int) -> list[str | Block]:
    if not isinstance(part, Table):
        return list(_lines(part, most_rows))
    rows = part.rows[:most_rows]
    if few_with_actions(part):
        return [summary(part, len(rows)), *row_sections(part, rows)]
    return [*table_lines(part, most_rows), *row_menus(rows)]


def _lines(part: Part, most_rows: int) -> list[str]:
    if isinstance(part, Facts):
        return [_fact(fact) for fact in part.items]
    if isinstance(part, Table):
        return table_lines(part, most_rows)
    if isinstance(part, Chart):
        return chart_lines(part)
    if isinstance(part, Note):
        return [with_icon(literal(part.text, 1000), part.tone)]
    if isinstance(part, Passages):
        return [
            f"{literal(one.title, 150)}: {literal(one.text, 400)}"
            + (f" ({literal(one.source, 200)})" if one.source else "")
            for one in part.items[:most_rows]
        ]
    title = [literal(part.title, 150)] if part.title else []
    return [*title, lines(part.text, 100 * most_rows)]


def _fact(fact: Fact) -> str:
    why = f" ({literal(fact.why, 300)})" if fact.why else ""
    return with_icon(f"{literal(fact.label, 100)}: {said(fact.value)}{why}", fact.tone)


def _packed(pieces: Iterable[str | Block]) -> list[Block]:
    """Put neighbouring lines together to as few sections as possible."""
    packed: list[Block] = []
    waiting = ""
    for piece in pieces:
        if isinstance(piece, str) and len(waiting) + len(piece) < _SECTION:
            waiting = f"{waiting}\n{piece}" if waiting else piece
            continue
        packed.extend(_section(waiting))
        waiting = ""
        if isinstance(piece, str):
            waiting = cut(piece, _SECTION)
        else:
            packed.append(piece)
    return [*packed, *_section(waiting)]


def _section(text: str) -> list[Block]:
    return [SectionBlock(plain_lines(text))] if text.strip() else []
