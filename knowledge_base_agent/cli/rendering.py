"""A report on a terminal, drawn by rich. Text from outside is never read as rich's markup."""

import math
from collections.abc import Iterator, Mapping

from rich.box import SIMPLE_HEAD
from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.measure import Measurement
from rich.padding import Padding
from rich.table import Table as Grid
from rich.text import Text

from knowledge_base_agent.redaction import Raw, plain, shown
from knowledge_base_agent.report import (
    Chart,
    Facts,
    Note,
    Part,
    Passages,
    Preformatted,
    Report,
    Table,
    Tone,
    Value,
)
from knowledge_base_agent.wording import UNKNOWN, worded

_STYLE = {Tone.NEUTRAL: "", Tone.GOOD: "green", Tone.WARNING: "yellow", Tone.BAD: "bold red"}
_MARK = {Tone.NEUTRAL: "", Tone.GOOD: "✓ ", Tone.WARNING: "! ", Tone.BAD: "✗ "}
_BARS = " ▁▂▃▄▅▆▇█"
_LINE = 2000
_DONE = "Done"
_BAR = 10


def show(console: Console, report: Report) -> None:
    """Print a report."""
    title = Text(_MARK[report.tone] + report.title, style=f"bold {_STYLE[report.tone]}".strip())
    parts = [Padding(_drawn(part), (1, 0, 0, 0), expand=False) for part in report.parts]
    console.print(Group(title, Text(plain(report.text, 2000)), *parts))


def _drawn(part: Part) -> RenderableType:
    if isinstance(part, Facts):
        return _facts(part)
    if isinstance(part, Table):
        return _table(part)
    if isinstance(part, Chart):
        return _chart(part.title, part.categories, part.series)
    if isinstance(part, Note):
        return Text(_MARK[part.tone] + part.text, style=_STYLE[part.tone])
    if isinstance(part, Passages):
        return _passages(part)
    return _preformatted(part)


def _facts(part: Facts) -> RenderableType:
    grid = Grid.grid(padding=(0, 2))
    reasons = any(fact.why for fact in part.items)  # an empty column would cut the others short
    for _ in range(3 if reasons else 2):
        grid.add_column(overflow="fold")  # never cut: ids and hashes are there to be copied
    for fact in part.items:
        value = _cell(fact.value)
        value.stylize(_STYLE[fact.tone])
        why = Text(f"({fact.why})" if fact.why else "", style="dim")
        grid.add_row(Text(fact.label, style="dim"), value, *([why] if reasons else []))
    return Group(Text(part.title, style="bold"), grid) if part.title else grid


def _table(part: Table) -> RenderableType:
    below = _below(part)
    drawn = _Fitting(part)
    return Group(drawn, Text(below, style="dim")) if below else drawn


class _Fitting:
    """A table where the terminal is wide enough for one, else a card a row: ids must stay whole to be copied."""

    def __init__(self, part: Table) -> None:
        self._part = part

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        grid = _grid(self._part)
        wanted = Measurement.get(console, options.update(width=10_000), grid).maximum
        narrow = wanted > options.max_width and len(self._part.columns) > 3
        yield from _cards(self._part) if narrow else (grid,)


def _grid(part: Table) -> Grid:
    grid = Grid(
        title=part.caption,
        title_justify="left",
        title_style="bold",
        header_style="dim",
        box=SIMPLE_HEAD,
        pad_edge=False,
    )
    for index, column in enumerate(part.columns):
        numbers = all(isinstance(row.cells[index], int | float) for row in part.rows)
        grid.add_column(column.label, justify="right" if numbers else "left", overflow="fold")
    bars = any(row.progress is not None for row in part.rows)
    if bars:
        grid.add_column(_DONE, no_wrap=True)
    for row in part.rows:
        done = (_share(row.progress),) if bars else ()
        grid.add_row(*(_cell(value) for value in row.cells), *done, style=_STYLE[row.tone])
    return grid


def _share(done: float | None) -> Text:
    """Return how much of a task is done, a share of 0 to 1, as a bar; empty where it did not tell."""
    if done is None or not math.isfinite(done):
        return Text()
    kept = min(max(done, 0.0), 1.0)
    full = int(kept * _BAR)
    return Text(f"{'█' * full}{'░' * (_BAR - full)} {int(kept * 100):>3} %")


def _cards(part: Table) -> Iterator[RenderableType]:
    yield Text(part.caption, style="bold")
    for row in part.rows:
        card = Grid.grid(padding=(0, 2))
        for column, value in zip(part.columns, row.cells, strict=True):
            if value != "":
                card.add_row(Text(column.label, style="dim"), _cell(value))
        if row.progress is not None:
            card.add_row(Text(_DONE, style="dim"), _share(row.progress))
        yield Padding(card, (1, 0, 0, 2), style=_STYLE[row.tone], expand=False)


def _below(part: Table) -> str:
    if part.total is None:
        return f"{len(part.rows)} shown; how many there are in all is unknown"
    return f"{len(part.rows)} of {part.total:,} shown" if part.total > len(part.rows) else ""


def _cell(value: Value) -> Text:
    text = worded(value)
    if value is None:
        return Text(UNKNOWN, style="dim italic")
    return Text(shown(text, 400) if isinstance(value, str) else text)


def _chart(
    title: str, categories: tuple[str, ...], series: Mapping[str, tuple[float, ...]]
) -> RenderableType:
    grid = Grid.grid(padding=(0, 2))
    highest = max((number for numbers in series.values() for number in numbers), default=0) or 1
    for name, numbers in series.items():
        bars = "".join(_BARS[round(number / highest * (len(_BARS) - 1))] for number in numbers)
        grid.add_row(Text(name, style="dim"), Text(bars), Text(f"{sum(numbers):,.0f} in all"))
    span = f"{categories[0]} … {categories[-1]}" if categories else ""
    return Group(Text(title, style="bold"), grid, Text(span, style="dim"))


def _passages(part: Passages) -> RenderableType:
    shown: list[RenderableType] = []
    for one in part.items:
        below = [Text(one.source, style="dim")] if one.source else []
        passage = Group(Text(one.title, style="bold"), Text(one.text), *below)
        shown.append(Padding(passage, (1 if shown else 0, 0, 0, 0), expand=False))
    return Group(*shown)


def _preformatted(part: Preformatted) -> RenderableType:
    whole = part.text
    kind = Raw if isinstance(whole, Raw) else str
    lines = Text("\n".join(shown(kind(line), _LINE) for line in whole.splitlines()))
    return Group(Text(part.title, style="bold"), lines) if part.title else lines
