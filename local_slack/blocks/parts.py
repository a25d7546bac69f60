"""Finding what a person can act on in blocks, and what is filled in at first."""

import copy
import secrets
from collections.abc import Iterator

from local_slack.shapes import Json

# Per element type: the key of its value in payloads, and the key of what is filled in at first.
VALUE_KEYS: dict[str, tuple[str, str]] = {
    "static_select": ("selected_option", "initial_option"),
    "external_select": ("selected_option", "initial_option"),
    "users_select": ("selected_user", "initial_user"),
    "conversations_select": ("selected_conversation", "initial_conversation"),
    "channels_select": ("selected_channel", "initial_channel"),
    "multi_static_select": ("selected_options", "initial_options"),
    "multi_external_select": ("selected_options", "initial_options"),
    "multi_users_select": ("selected_users", "initial_users"),
    "multi_conversations_select": ("selected_conversations", "initial_conversations"),
    "multi_channels_select": ("selected_channels", "initial_channels"),
    "checkboxes": ("selected_options", "initial_options"),
    "radio_buttons": ("selected_option", "initial_option"),
    "datepicker": ("selected_date", "initial_date"),
    "timepicker": ("selected_time", "initial_time"),
    "datetimepicker": ("selected_date_time", "initial_date_time"),
    "plain_text_input": ("value", "initial_value"),
    "email_text_input": ("value", "initial_value"),
    "url_text_input": ("value", "initial_value"),
    "number_input": ("value", "initial_value"),
    "rich_text_input": ("rich_text_value", "initial_value"),
    "file_input": ("files", "initial_files"),
}
LISTS = (
    "selected_options",
    "selected_users",
    "selected_conversations",
    "selected_channels",
    "files",
)
CLICKED = ("button", "overflow", "workflow_button", "icon_button", "feedback_buttons")


def nested(block: Json) -> Iterator[Json]:
    """The block and the blocks within it."""
    yield block
    for key in ("child_blocks", "elements"):
        for child in block.get(key) or []:
            if block.get("type") in ("container", "carousel") and isinstance(child, dict):
                yield from nested(child)


def elements_of(block: Json) -> list[Json]:
    """The elements of one block (not of blocks within it)."""
    kind = block.get("type")
    if kind in ("actions", "context_actions"):
        return list(block["elements"])
    if kind == "card":
        return list(block.get("actions") or [])
    single = (
        block.get("accessory")
        if kind == "section"
        else block.get("element")
        if kind == "input"
        else None
    )
    return [single] if single else []


def interactive(blocks: list[Json] | None) -> Iterator[tuple[Json, Json]]:
    """Each (block, element) that a person can act on."""
    for block in blocks or []:
        for inner in nested(block):
            for element in elements_of(inner):
                if element.get("type") in VALUE_KEYS or element.get("type") in CLICKED:
                    yield inner, element


def with_ids(blocks: list[Json]) -> list[Json]:
    """A copy in which every block has a block id and every element an action id, made up where missing."""
    named = copy.deepcopy(blocks)
    for block in named:
        for inner in nested(block):
            inner.setdefault("block_id", secrets.token_urlsafe(4)[:5])
            for element in elements_of(inner):
                if element.get("type") in VALUE_KEYS or element.get("type") in CLICKED:
                    element.setdefault("action_id", secrets.token_urlsafe(4)[:5])
    return named


def initial_state(blocks: list[Json] | None) -> dict[str, dict[str, Json]]:
    """`state.values` before anybody touched anything."""
    state: dict[str, dict[str, Json]] = {}
    for block, element in interactive(blocks):
        if element["type"] in VALUE_KEYS:
            value_key, initial_key = VALUE_KEYS[element["type"]]
            first = element.get(initial_key, [] if value_key in LISTS else None)
            value: Json = {"type": element["type"], value_key: first}
            state.setdefault(block["block_id"], {})[element["action_id"]] = value
    return state


def options_of(element: Json) -> list[Json]:
    """All options of a select, in groups or not."""
    grouped = [
        option for group in element.get("option_groups") or [] for option in group["options"]
    ]
    return [*(element.get("options") or []), *grouped]
