"""Tables and charts (docs.slack.dev/reference/block-kit/blocks: table, data table, data visualization)."""

from typing import Any

from local_slack.blocks.rich import RICH_TEXT
from local_slack.blocks.rules import (
    Findings,
    Rule,
    also,
    array,
    boolean,
    by_type,
    note,
    number,
    obj,
    one_of,
    string,
)
from local_slack.blocks.texts import BLOCK_ID, TYPE

# All cells of one message together; Slack's page on tables has it per table and per message.
CELLS = 10_000
_RAW_TEXT = obj({**TYPE, "text": string(shortest=1)}, {"emoji": boolean})
_RAW_NUMBER = obj({**TYPE, "value": number(), "text": string(shortest=1)})
_RICH: Rule = RICH_TEXT


def _cell(**rules: Rule) -> Rule:
    return by_type(rules)


_PLAIN_CELL = _cell(raw_text=_RAW_TEXT, raw_number=_RAW_NUMBER)
_ANY_CELL = _cell(raw_text=_RAW_TEXT, raw_number=_RAW_NUMBER, rich_text=_RICH)


def _settings(value: Any, at: str, findings: Findings) -> None:
    if value is not None:  # null skips a column
        obj({}, {"align": one_of("left", "center", "right"), "is_wrapped": boolean})(
            value, at, findings
        )


def _same_width(value: Any, at: str, findings: Findings) -> None:
    widths = {len(row) for row in value["rows"]}
    if len(widths) > 1:
        note(findings, "all rows must have the same number of values", f"{at}/rows")
    index = value.get("row_header_column_index", 0)
    if index >= max(widths, default=0):
        note(findings, "must be the index of a column", f"{at}/row_header_column_index")


def _plain_header(value: Any, at: str, findings: Findings) -> None:
    array(_PLAIN_CELL)(value["rows"][0], f"{at}/rows/0", findings)


TABLE = obj(
    {**TYPE, "rows": array(array(_ANY_CELL, 1, 20), 1, 100)},
    {**BLOCK_ID, "column_settings": array(_settings, 0, 20)},
)
DATA_TABLE = also(
    obj(
        {**TYPE, "rows": array(array(_ANY_CELL, 1, 20), 2, 101), "caption": string(shortest=1)},
        {
            **BLOCK_ID,
            "page_size": number(1, 100, whole=True),
            "row_header_column_index": number(0, whole=True),
        },
    ),
    _same_width,
    _plain_header,
)

_LABEL = string(20, 1)
_POINT = obj({"label": _LABEL, "value": number()})
_SERIES = array(obj({"name": _LABEL, "data": array(_POINT, 1, 20)}), 1, 6)
_AXES = obj({"categories": array(_LABEL, 1, 20)}, {"x_label": string(50), "y_label": string(50)})


def _points_match(value: Any, at: str, findings: Findings) -> None:
    categories = value["axis_config"]["categories"]
    if len(set(categories)) != len(categories):
        note(findings, "categories must be unique", f"{at}/axis_config/categories")
    names = [series["name"] for series in value["series"]]
    if len(set(names)) != len(names):
        note(findings, "series names must be unique", f"{at}/series")
    for number_, series in enumerate(value["series"]):
        if sorted(point["label"] for point in series["data"]) != sorted(categories):
            note(
                findings,
                "one data point is needed for each category",
                f"{at}/series/{number_}/data",
            )


_XY = also(obj({**TYPE, "series": _SERIES, "axis_config": _AXES}), _points_match)
_SEGMENT = obj({"label": _LABEL, "value": number(above=0)})
_PIE = obj({**TYPE, "segments": array(_SEGMENT, 1, 6)})
DATA_VISUALIZATION = obj(
    {
        **TYPE,
        "title": string(50, 1),
        "chart": by_type({"pie": _PIE, "bar": _XY, "area": _XY, "line": _XY}),
    },
    BLOCK_ID,
)
