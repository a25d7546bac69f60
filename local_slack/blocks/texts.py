"""Texts, options, confirmation dialogs (docs.slack.dev/reference/block-kit/composition-objects)."""

from typing import Any

from local_slack.blocks.rules import (
    Findings,
    Rule,
    also,
    anything,
    array,
    boolean,
    by_type,
    note,
    number,
    obj,
    one_of,
    string,
)

TYPE = {"type": anything}
BLOCK_ID = {"block_id": string(255)}
ACTION_ID = {"action_id": string(255)}


def plain(longest: int = 3000) -> Rule:
    """A plain_text object."""
    shape = {**TYPE, "text": string(longest, 1)}
    return by_type({"plain_text": obj(shape, {"emoji": boolean})})


def text(longest: int = 3000) -> Rule:
    """A plain_text or mrkdwn object."""
    shape = {**TYPE, "text": string(longest, 1)}
    return by_type(
        {"plain_text": obj(shape, {"emoji": boolean}), "mrkdwn": obj(shape, {"verbatim": boolean})}
    )


def option(described: Rule | None = None) -> Rule:
    """An option of a select, overflow, checkbox or radio group."""
    return obj(
        {"text": described or plain(75), "value": string(150)},
        {"description": described or plain(75), "url": string(3000)},
    )


CONFIRM = obj(
    {"title": plain(100), "text": text(300)},
    {"confirm": plain(30), "deny": plain(30), "style": one_of("primary", "danger")},
)
DISPATCH = obj(
    {}, {"trigger_actions_on": array(one_of("on_enter_pressed", "on_character_entered"), 1, 2)}
)
FILTER = obj(
    {},
    {
        "include": array(one_of("im", "mpim", "private", "public"), 1),
        "exclude_external_shared_channels": boolean,
        "exclude_bot_users": boolean,
    },
)
SLACK_FILE = obj({}, {"id": anything, "url": anything}, any_of=("id", "url"))
IMAGE_ELEMENT = obj(
    {**TYPE, "alt_text": string(2000)},
    {
        "image_url": string(3000, 1),
        "slack_file": SLACK_FILE,
        "image_width": number(),
        "image_height": number(),
        "image_bytes": number(),
    },
    any_of=("image_url", "slack_file"),
)


def _choices(value: Any, at: str, findings: Findings) -> None:
    """Options or groups, not both; what is chosen at first is among them."""
    if ("options" in value) == ("option_groups" in value):
        note(findings, "exactly one of options and option_groups must be given", at)
        return
    grouped = [option for group in value.get("option_groups", []) for option in group["options"]]
    offered = [*value.get("options", []), *grouped]
    chosen = (
        [value["initial_option"]] if "initial_option" in value else value.get("initial_options", [])
    )
    for number_, first in enumerate(chosen):
        if first not in offered:
            note(
                findings,
                "initial option must exactly match one of the options",
                f"{at}/initial_option/{number_}",
            )


def choosing(shape: Rule) -> Rule:
    """A shape with options, and the rules that hold between its parts."""
    return also(shape, _choices)
