"""Blocks are held against Slack's limits and surfaces, with Slack's sentences."""

import copy
from typing import Any

import pytest

from local_slack.blocks.check import check_blocks
from local_slack.blocks.views import check_view
from local_slack.errors import Refusal

Json = dict[str, Any]


def plain(text: str) -> Json:
    return {"type": "plain_text", "text": text}


def button(**more: Any) -> Json:
    return {"type": "button", "text": plain("Go"), "action_id": "go", **more}


def actions(*elements: Json, **more: Any) -> Json:
    return {"type": "actions", "elements": list(elements), **more}


def section(text: str = "words", **more: Any) -> Json:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}, **more}


def cell(text: str = "x") -> Json:
    return {"type": "raw_text", "text": text}


def table(rows: int = 2, columns: int = 2, text: str = "x", **more: Any) -> Json:
    cells = [[cell(text) for _ in range(columns)] for _ in range(rows)]
    return {"type": "data_table", "caption": "Tasks", "rows": cells, **more}


def chart(series: int = 1, categories: int = 2, **more: Any) -> Json:
    names = [f"c{number}" for number in range(categories)]
    data = [{"label": name, "value": 1} for name in names]
    lines = [{"name": f"s{number}", "data": data} for number in range(series)]
    figure = {"type": "line", "series": lines, "axis_config": {"categories": names}}
    return {"type": "data_visualization", "title": "Tasks", "chart": {**figure, **more}}


def select(options: int = 2, **more: Any) -> Json:
    offered = [{"text": plain(f"o{number}"), "value": str(number)} for number in range(options)]
    return {"type": "static_select", "action_id": "pick", "options": offered, **more}


GROUP = {"label": plain("All"), "options": select()["options"]}
RICH = {
    "type": "rich_text",
    "elements": [
        {
            "type": "rich_text_section",
            "elements": [{"type": "text", "text": "x", "style": {"bold": True}}],
        }
    ],
}
DIALOG = {
    "title": plain("Sure?"),
    "text": plain("It stops."),
    "confirm": plain("Stop"),
    "deny": plain("Keep"),
}
TASK = {"task_id": "1", "title": "Purge", "status": "complete"}
FINE: list[Json] = [
    section(accessory=button(style="danger", confirm=DIALOG, value="v" * 2000)),
    {"type": "section", "fields": [{"type": "mrkdwn", "text": "*a*"}] * 10},
    {"type": "header", "text": plain("x" * 150)},
    {"type": "divider"},
    {"type": "context", "elements": [{"type": "mrkdwn", "text": "x"}, plain("y")]},
    actions(
        button(),
        select(),
        {"type": "overflow", "action_id": "more", "options": select()["options"]},
    ),
    {"type": "markdown", "text": "# hi"},
    RICH,
    table(101, 5),
    {"type": "table", "rows": [[cell(), RICH]], "column_settings": [{"align": "right"}]},
    chart(6, 20),
    {
        "type": "data_visualization",
        "title": "x",
        "chart": {"type": "pie", "segments": [{"label": "a", "value": 1}]},
    },
    {
        "type": "container",
        "title": plain("Details"),
        "child_blocks": [section()],
        "is_collapsible": True,
    },
    {"type": "plan", "title": "Reset", "tasks": [{**TASK, "status": "pending", "details": RICH}]},
    {"type": "task_card", **TASK},
    {"type": "card", "title": plain("x"), "actions": [button()]},
    {"type": "image", "image_url": "https://x", "alt_text": "x"},
]
WRONG: list[tuple[list[Json] | Json, str]] = [
    (section("x" * 3001), "must be less than 3001 characters [json-pointer:/blocks/0/text/text]"),
    (section(""), "must be more than 0 characters [json-pointer:/blocks/0/text/text]"),
    ({"type": "section"}, "missing required field: text or fields [json-pointer:/blocks/0]"),
    ({"type": "header", "text": plain("x" * 151)}, "must be less than 151 characters"),
    ({"type": "header", "text": {"type": "mrkdwn", "text": "x"}}, "unsupported type: mrkdwn"),
    ({"type": "slider"}, "unsupported type: slider [json-pointer:/blocks/0/type]"),
    ({"type": "divider", "colour": "red"}, "invalid additional property: colour"),
    ({"type": "alert", "text": plain("x")}, "unsupported type: alert"),
    (actions(button(text=plain("x" * 76))), "must be less than 76 characters"),
    (actions(button(value="v" * 2001)), "must be less than 2001 characters"),
    (actions(button(style="warning")), "must be one of: primary, danger"),
    (
        actions(button(confirm={**DIALOG, "confirm": plain("x" * 31)})),
        "must be less than 31 characters",
    ),
    (actions(button(), button()), "`action_id`: go is used 2 times and must be unique"),
    (
        [section(block_id="a"), section("b", block_id="a")],
        "`block_id`: a is used 2 times and must be unique",
    ),
    (actions(), "must contain at least 1 items"),
    (actions({"type": "plain_text_input", "action_id": "x"}), "unsupported type: plain_text_input"),
    (actions(select(101)), "no more than 100 items allowed"),
    (
        actions(select(initial_option={"text": plain("no"), "value": "no"})),
        "must exactly match one of the options",
    ),
    (actions(select(option_groups=[GROUP])), "exactly one of options and option_groups"),
    ([section()] * 51, "no more than 50 items allowed [json-pointer:/blocks]"),
    (table(102), "no more than 101 items allowed"),
    (table(1), "must contain at least 2 items"),
    (table(2, 21), "no more than 20 items allowed"),
    (table(text=""), "must be more than 0 characters"),
    (table(page_size=101), "must be at most 100"),
    (table(row_header_column_index=2), "must be the index of a column"),
    (
        {**table(), "rows": [[cell()], [cell(), cell()]]},
        "all rows must have the same number of values",
    ),
    (
        {**table(), "rows": [[RICH], [cell()]]},
        "unsupported type: rich_text [json-pointer:/blocks/0/rows/0/0/type]",
    ),
    ({"type": "data_table", "rows": table()["rows"]}, "missing required field: caption"),
    (table(101, 1, "x" * 100), "table cells must be less than 10001 characters in all"),
    (chart(7), "no more than 6 items allowed"),
    (chart(1, 21), "no more than 20 items allowed"),
    (chart(axis_config={"categories": ["a", "b"]}), "one data point is needed for each category"),
    ([chart()] * 3, "no more than 2 data_visualization blocks allowed"),
    (
        {"type": "container", "title": plain("x"), "child_blocks": [table()]},
        "unsupported type: data_table [json-pointer:/blocks/0/child_blocks/0/type]",
    ),
    (
        {"type": "container", "child_blocks": [section()]},
        "missing required field: title or rich_text_title",
    ),
    ({"type": "task_card", **TASK, "status": "pending"}, "only a plan's task can be pending"),
    ({"type": "plan", "title": "x", "tasks": [TASK, TASK]}, "task ids must be unique"),
]


@pytest.mark.parametrize("block", FINE, ids=lambda block: block["type"])
def test_what_slack_takes_is_taken(block: Json) -> None:
    assert check_blocks([block], "message") == [block]


@pytest.mark.parametrize(("blocks", "finding"), WRONG)
def test_what_slack_refuses_is_refused_with_the_place(
    blocks: list[Json] | Json, finding: str
) -> None:
    with pytest.raises(Refusal) as refused:
        check_blocks(blocks if isinstance(blocks, list) else [blocks], "message")
    assert refused.value.error == "invalid_blocks"
    assert any(
        finding in message for message in refused.value.details["response_metadata"]["messages"]
    )


def test_a_message_of_more_than_twelve_thousand_characters_is_refused() -> None:
    blocks = [section("x" * 3000, block_id=str(number)) for number in range(4)]
    check_blocks(blocks, "message")
    with pytest.raises(Refusal, match="msg_blocks_too_long"):
        check_blocks([*blocks, section("y")], "message")


MODAL: Json = {"type": "modal", "title": plain("Clear"), "blocks": [section()]}


@pytest.mark.parametrize(
    ("change", "finding"),
    [
        ({"title": plain("x" * 25)}, "must be less than 25 characters"),
        ({"private_metadata": "x" * 3001}, "must be less than 3001 characters"),
        ({"blocks": [table()]}, "unsupported type: data_table [json-pointer:/view/blocks/0/type]"),
        (
            {"blocks": [{"type": "input", "label": plain("x"), "element": select()}]},
            "submit is required",
        ),
        ({"blocks": [section()] * 101}, "no more than 100 items allowed"),
        ({"type": "home"}, "must be one of: modal"),
        ({"footer": "x"}, "invalid additional property: footer"),
    ],
)
def test_a_modal_is_held_against_its_own_rules(change: Json, finding: str) -> None:
    check_view(copy.deepcopy(MODAL), "modal")
    with pytest.raises(Refusal) as refused:
        check_view(MODAL | change, "modal")
    assert any(finding in message for message in refused.value.details["errors"])


def test_a_home_tab_shows_tables_and_charts_but_no_alert() -> None:
    check_view({"type": "home", "blocks": [table(), chart()]}, "home")
    with pytest.raises(Refusal):
        check_view({"type": "home", "blocks": [{"type": "alert", "text": plain("x")}]}, "home")
