"""A report as a message. Where it is more than Slack takes, tables and long texts get shorter, and say so."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from functools import partial

from slackblocks import (
    ContextBlock,
    DividerBlock,
    HeaderBlock,
    RichTextBlock,
    RichTextSection,
    SectionBlock,
)
from slackblocks.blocks import Block
from slackblocks.rich_text.elements import RichText
from slackblocks.rich_text.objects import RichTextCodeBlock

from bot.blocks.buttons import action_rows
from bot.blocks.charts import MOST_CHARTS, chart_blocks, chart_lines
from bot.blocks.drawn import Drawn, Json, rendered, rendered_if_it_fits
from bot.blocks.plain_form import plain_form, text_form
from bot.blocks.tables import table_blocks
from bot.blocks.text import escaped, heading, inert, lines, literal, mrkdwn, plain_text, sentence
from bot.blocks.values import ICONS, local_moment, marked, with_icon
from knowledge_base_agent.report import (
    Chart,
    Fact,
    Facts,
    Note,
    Part,
    Passage,
    Passages,
    Preformatted,
    Report,
    Table,
)
from knowledge_base_agent.wording import duration

OLD_AFTER = timedelta(seconds=5)
_FIELDS = 10
_SHORT = 30
_STEPS = (
    (100, 6000),
    (60, 4000),
    (40, 3000),
    (25, 2000),
    (15, 1500),
    (8, 1000),
    (4, 600),
    (1, 200),
)
"""Rows of a table and characters of a preformatted text, from all that Slack takes down to hardly any."""


def report_message(report: Report, now: datetime, *, foot: Sequence[Block] = ()) -> Drawn:
    """Draw a report as it is at `now` (UTC); `foot` stands below it whatever had to be shortened above."""
    return Drawn(
        text=escaped(text_form(report, now)),
        blocks=report_blocks(report, now, foot=foot),
        draw_plain=partial(plain_form, report, now, foot=foot),
    )


def report_blocks(report: Report, now: datetime, *, foot: Sequence[Block] = ()) -> tuple[Json, ...]:
    """Draw a report with as much of its parts as fits one message."""
    for step in _steps(report):
        drawn = rendered_if_it_fits(partial(_whole, report, now, step, foot))
        if drawn:
            return drawn
    left_out = sentence("The rest is more than one Slack message takes: ask for less of it.")
    return rendered([*_head(report, now), RichTextBlock(left_out), *foot])


def _steps(report: Report) -> Iterator[tuple[int, int]]:
    """Yield the first step, and of the others those that leave out more than it: drawing in vain takes as long."""
    rows = max((len(one.rows) for one in report.parts if isinstance(one, Table)), default=0)
    passages = max((len(one.items) for one in report.parts if isinstance(one, Passages)), default=0)
    texts = (len(one.text) for one in report.parts if isinstance(one, Preformatted))
    longest, first = max(texts, default=0), _STEPS[0]
    yield first
    for step in _STEPS[1:]:
        if step[0] < max(rows, passages) or step[1] < longest:
            yield step


def _whole(
    report: Report, now: datetime, step: tuple[int, int], foot: Sequence[Block]
) -> list[Block]:
    return [*_head(report, now), *_parts(report, *step), *foot]


def _head(report: Report, now: datetime) -> list[Block]:
    head: list[Block] = [HeaderBlock(plain_text(with_icon(report.title, report.tone), 150))]
    if report.text:
        head.append(RichTextBlock(sentence(report.text)))
    aged = age(report, now)
    return [*head, ContextBlock([mrkdwn(aged)])] if aged else head


def age(report: Report, now: datetime) -> str:
    """Return how old the figures are, in `mrkdwn`, where that matters; else nothing."""
    if report.taken_at is None or now - report.taken_at <= OLD_AFTER:
        return ""
    return f"Read {duration(now - report.taken_at)} ago, {local_moment(report.taken_at)}"


def _parts(report: Report, most_rows: int, most_text: int) -> list[Block]:
    drawn: list[Block] = []
    charts = 0
    for part in report.parts:
        if isinstance(part, Chart):
            charts += 1
            drawn.extend(_chart(part, drawable=charts <= MOST_CHARTS))
        else:
            drawn.extend(_part(part, most_rows, most_text))
    actions = action_rows(report.actions)
    return [*drawn, DividerBlock(), *actions] if actions else drawn


def _part(part: Part, most_rows: int, most_text: int) -> list[Block]:
    if isinstance(part, Facts):
        return _facts(part)
    if isinstance(part, Table):
        return table_blocks(part, most_rows)
    if isinstance(part, Note):
        return [RichTextBlock(sentence(part.text, icon=ICONS[part.tone]))]
    if isinstance(part, Preformatted):
        return _preformatted(part, most_text)
    if isinstance(part, Passages):
        return [block for one in part.items[:most_rows] for block in _passage(one)]
    return []


def _facts(facts: Facts) -> list[Block]:
    title: list[Block] = [heading(facts.title)] if facts.title else []
    fields = [mrkdwn(_fact(fact)) for fact in facts.items]
    starts = range(0, len(fields), _FIELDS)
    return [*title, *(SectionBlock(fields=list(fields[at : at + _FIELDS])) for at in starts)]


def _fact(fact: Fact) -> str:
    label = inert(fact.label.replace("*", ""), 150)
    value = with_icon(marked(fact.value, 900), fact.tone)
    why = f" ({marked(fact.why, 900)})" if fact.why else ""
    short = not why and len(label) + len(value) <= _SHORT
    return f"*{label}:* {value}" if short else f"*{label}*\n{value}{why}"


def _passage(passage: Passage) -> list[Block]:
    """Draw a passage: title and words in one block, so that a phone keeps them together, and the source small."""
    title = RichText(f"{literal(passage.title, 150)}\n", bold=True)
    section = RichTextSection([title, RichText(literal(passage.text, 600))])
    source = [ContextBlock([plain_text(passage.source, 300)])] if passage.source else []
    return [RichTextBlock(section), *source]


def _chart(chart: Chart, *, drawable: bool) -> list[Block]:
    numbers = " · ".join(chart_lines(chart)[1:] or ["no numbers"])
    drawn = chart_blocks(chart) if drawable else []
    title = "" if drawn else f"{literal(chart.title, 150)}: "
    return [*drawn, ContextBlock([plain_text(f"{title}{numbers}", 2000)])]


def _preformatted(part: Preformatted, most_text: int) -> list[Block]:
    title: list[Block] = [heading(part.title)] if part.title else []
    return [*title, RichTextBlock(RichTextCodeBlock(RichText(lines(part.text, most_text))))]
