"""Messages that the tests post, built with the library that the bot uses."""

import json
from typing import Any

from slackblocks import (
    ActionsBlock,
    AxisConfig,
    Block,
    Button,
    ConfirmationDialogue,
    DataPoint,
    DataSeries,
    DataTableBlock,
    DataVisualizationBlock,
    LineChart,
    RawNumber,
    RawText,
    SectionBlock,
)

Json = dict[str, Any]

HOURS = ["08:00", "10:00", "12:00"]


def drawn(*blocks: Block) -> list[Json]:
    """The blocks as JSON, the way they travel."""
    found: list[Json] = json.loads(f"[{','.join(map(str, blocks))}]")
    return found


def running_tasks(*, caption: str = "Running tasks", more: int = 0) -> list[Json]:
    """Seven tasks (and `more`) on pages of five; by their words, 9 s would come after 10 min."""
    seconds = [600, 9, 7200, 45, 3, 120, 61, *range(1, more + 1)]
    rows: list[list[Any]] = [[RawText("Task"), RawText("Running for")]]
    rows += [
        [RawText(f"fetch-{number}"), RawNumber(value, _spoken(value))]
        for number, value in enumerate(seconds)
    ]
    table = DataTableBlock(rows=rows, caption=caption, page_size=5)
    return drawn(table)


def _spoken(seconds: int) -> str:
    return f"{seconds} s" if seconds < 60 else f"{seconds // 60} min"


def last_hours() -> list[Json]:
    """A line chart of two series."""
    series = [
        DataSeries(
            "Succeeded", [DataPoint(h, v) for h, v in zip(HOURS, (41, 120, 90), strict=True)]
        ),
        DataSeries("Failed", [DataPoint(h, v) for h, v in zip(HOURS, (1, 12, 3), strict=True)]),
    ]
    chart = LineChart(series, AxisConfig(HOURS, x_label="Hour (UTC)", y_label="Tasks"))
    return drawn(DataVisualizationBlock("Tasks of the last hours", chart))


def revoke_button(task: str) -> list[Json]:
    """A red button that asks first."""
    asks = ConfirmationDialogue(
        title="Revoke this task?",
        text=f"`{task}` will be stopped.",
        confirm="Revoke it",
        deny="Keep it",
    )
    button = Button(text="Revoke", action_id="revoke", value=task, style="danger", confirm=asks)
    return drawn(SectionBlock(f"*{task}* is stuck"), ActionsBlock([button]))
