"""A chart of a report, brought within Slack's limits, and its numbers as text."""

import math
from collections.abc import Mapping, Sequence

from slackblocks import (
    AxisConfig,
    BarChart,
    DataPoint,
    DataSeries,
    DataVisualizationBlock,
    LineChart,
)
from slackblocks.blocks import Block

from bot.blocks.text import literal
from knowledge_base_agent.report import Chart
from knowledge_base_agent.wording import UNKNOWN, worded

MOST_CHARTS = 2
_CATEGORIES = 20
_SERIES = 6
_LABEL = 20
_BARS_UP_TO = 12


def chart_blocks(chart: Chart) -> list[Block]:
    """Draw a chart; nothing where there is nothing that Slack could draw. Its numbers are in `chart_lines`."""
    categories, series = _within_limits(chart)
    if not categories or not series:
        return []
    labels = _unique(categories)
    drawn = [
        DataSeries(
            name, [DataPoint(label, value) for label, value in zip(labels, values, strict=True)]
        )
        for name, values in zip(_unique(list(series)), series.values(), strict=True)
    ]
    axis = AxisConfig(labels, y_label=literal(chart.unit, 50) if chart.unit else None)
    kind = BarChart if len(labels) <= _BARS_UP_TO else LineChart
    return [DataVisualizationBlock(literal(chart.title, 50), kind(drawn, axis))]


def chart_lines(chart: Chart) -> list[str]:
    """Return the chart's numbers as literal lines: for each series its sum, and the highest number and where."""
    found = [literal(chart.title, 150)]
    for name, values in list(chart.series.items())[:_SERIES]:
        numbers = list(zip(chart.categories, values, strict=False))
        shown = literal(name, 40)
        if not numbers or not math.isfinite(sum(abs(value) for value in values)):
            found.append(f"{shown}: {UNKNOWN}")
            continue
        where, most = max(numbers, key=lambda pair: pair[1])
        line = f"{shown}: {worded(_number(sum(values)))} in all"
        if most > 0:
            line += f", at most {worded(_number(most))} ({literal(where, 40)})"
        found.append(line)
    if len(chart.series) > _SERIES:
        found.append(f"{_SERIES} of {len(chart.series)} series shown")
    return found


def _within_limits(chart: Chart) -> tuple[list[str], Mapping[str, Sequence[float]]]:
    """Join neighbouring categories, adding their numbers up, until there are few enough."""
    width = len(chart.categories)
    step = max(math.ceil(width / _CATEGORIES), 1)
    starts = range(0, width, step)
    categories = [chart.categories[at] for at in starts]
    series = {
        name: [_number(sum(values[at : at + step])) for at in starts]
        for name, values in list(chart.series.items())[:_SERIES]
        if len(values) == width and math.isfinite(sum(abs(value) for value in values))
    }
    return categories, series


def _number(value: float) -> float:
    return int(value) if value == int(value) else value


def _unique(labels: Sequence[str]) -> list[str]:
    """Shorten labels and tell those apart that have become the same; Slack wants each once."""
    found: list[str] = []
    for label in labels:
        short = literal(label, _LABEL)
        again = 2
        while short in found:
            ending = f" {again}"
            short = literal(label, _LABEL - len(ending)) + ending
            again += 1
        found.append(short)
    return found
