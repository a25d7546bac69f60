"""The blocks themselves, and on which surface each may stand (docs.slack.dev/reference/block-kit/blocks)."""

from typing import Any

from local_slack.blocks.elements import (
    AS_ACCESSORY,
    BUTTON,
    IN_ACTIONS,
    IN_CONTEXT_ACTIONS,
    IN_INPUT,
)
from local_slack.blocks.rich import RICH_TEXT
from local_slack.blocks.rules import (
    Findings,
    Rule,
    also,
    anything,
    array,
    boolean,
    by_type,
    note,
    obj,
    one_of,
    string,
)
from local_slack.blocks.tables import DATA_TABLE, DATA_VISUALIZATION, TABLE
from local_slack.blocks.texts import BLOCK_ID, IMAGE_ELEMENT, SLACK_FILE, TYPE, plain, text

_IN_CONTEXT = by_type(
    {"image": IMAGE_ELEMENT, **{kind: text() for kind in ("plain_text", "mrkdwn")}}
)
_SOURCE = obj({**TYPE, "url": string(shortest=1), "text": string(shortest=1)})
_STATUS = one_of("pending", "in_progress", "complete", "error")
_TASK: dict[str, Rule] = {"details": RICH_TEXT, "output": RICH_TEXT, "sources": array(_SOURCE)}


def _collapsing(value: Any, at: str, findings: Findings) -> None:
    if value.get("default_collapsed") and not value.get("is_collapsible"):
        note(findings, "default_collapsed requires is_collapsible", at)


def _not_pending(value: Any, at: str, findings: Findings) -> None:
    if value["status"] == "pending":
        note(findings, "only a plan's task can be pending", f"{at}/status")


def _different_tasks(value: Any, at: str, findings: Findings) -> None:
    ids = [task["task_id"] for task in value["tasks"]]
    if len(set(ids)) != len(ids):
        note(findings, "task ids must be unique", f"{at}/tasks")


_CARD = obj(
    TYPE,
    {
        **BLOCK_ID,
        "hero_image": IMAGE_ELEMENT,
        "icon": IMAGE_ELEMENT,
        "slack_icon": anything,
        "title": text(150),
        "subtitle": text(150),
        "body": text(200),
        "subtext": text(200),
        "actions": array(by_type({"button": BUTTON}), 1, 3),
    },
    any_of=("hero_image", "title", "body", "actions"),
)
_LEAVES: dict[str, Rule] = {
    "section": obj(
        TYPE,
        {
            **BLOCK_ID,
            "text": text(3000),
            "fields": array(text(2000), 1, 10),
            "accessory": AS_ACCESSORY,
            "expand": boolean,
        },
        any_of=("text", "fields"),
    ),
    "header": obj({**TYPE, "text": plain(150)}, {**BLOCK_ID, "level": anything}),
    "divider": obj(TYPE, BLOCK_ID),
    "context": obj({**TYPE, "elements": array(_IN_CONTEXT, 1, 10)}, BLOCK_ID),
    "actions": obj({**TYPE, "elements": array(IN_ACTIONS, 1, 25)}, BLOCK_ID),
    "input": obj(
        {**TYPE, "label": plain(2000), "element": IN_INPUT},
        {**BLOCK_ID, "hint": plain(2000), "optional": boolean, "dispatch_action": boolean},
    ),
    "image": obj(
        {**TYPE, "alt_text": string(2000)},
        {**BLOCK_ID, "image_url": string(3000, 1), "slack_file": SLACK_FILE, "title": plain(2000)},
        any_of=("image_url", "slack_file"),
    ),
    "rich_text": RICH_TEXT,
    "table": TABLE,
    "file": obj({**TYPE, "external_id": string(), "source": one_of("remote")}, BLOCK_ID),
    "video": obj(
        {
            **TYPE,
            "alt_text": string(2000),
            "title": plain(200),
            "video_url": string(3000),
            "thumbnail_url": string(3000),
        },
        {
            **BLOCK_ID,
            "author_name": string(50),
            "description": plain(200),
            "provider_icon_url": string(),
            "provider_name": string(50),
            "title_url": string(),
        },
    ),
}
_CONTAINER = also(
    obj(
        {**TYPE, "child_blocks": array(by_type(_LEAVES), 1, 10)},
        {
            **BLOCK_ID,
            "title": plain(150),
            "rich_text_title": RICH_TEXT,
            "subtitle": text(150),
            "width": one_of("narrow", "standard", "wide", "full"),
            "icon": IMAGE_ELEMENT,
            "is_collapsible": boolean,
            "default_collapsed": boolean,
            "has_header_divider": boolean,
        },
        any_of=("title", "rich_text_title"),
    ),
    _collapsing,
)
_PLAN_TASK = obj(
    {"task_id": string(shortest=1), "title": string(shortest=1), "status": _STATUS},
    {**TYPE, **_TASK},
)
BLOCKS: dict[str, Rule] = {
    **_LEAVES,
    "alert": obj(
        {**TYPE, "text": text(200)},
        {**BLOCK_ID, "level": one_of("default", "info", "warning", "error", "success")},
    ),
    "card": _CARD,
    "carousel": obj({**TYPE, "elements": array(by_type({"card": _CARD}), 1, 10)}, BLOCK_ID),
    "container": _CONTAINER,
    "context_actions": obj({**TYPE, "elements": array(IN_CONTEXT_ACTIONS, 1, 5)}, BLOCK_ID),
    "data_table": DATA_TABLE,
    "data_visualization": DATA_VISUALIZATION,
    "markdown": obj({**TYPE, "text": string(12_000, 1)}, BLOCK_ID),
    "plan": also(
        obj({**TYPE, "title": string(shortest=1), "tasks": array(_PLAN_TASK, 1, 50)}, BLOCK_ID),
        _different_tasks,
    ),
    "task_card": also(
        obj(
            {**TYPE, "task_id": string(shortest=1), "title": string(shortest=1), "status": _STATUS},
            {**BLOCK_ID, **_TASK},
        ),
        _not_pending,
    ),
}
_EVERYWHERE = {
    "actions",
    "card",
    "context",
    "divider",
    "header",
    "image",
    "input",
    "rich_text",
    "section",
    "video",
}
SURFACES: dict[str, set[str]] = {
    "message": set(BLOCKS) - {"alert"},
    "modal": _EVERYWHERE | {"alert"},
    "home": _EVERYWHERE | {"carousel", "container", "data_table", "data_visualization", "table"},
}
