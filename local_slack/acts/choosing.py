"""Finding the element that is clicked, and turning what was chosen into its payload."""

from typing import Any

from local_slack.blocks.parts import LISTS, VALUE_KEYS, interactive, options_of
from local_slack.errors import NotPossible
from local_slack.shapes import Json


def element_of(blocks: list[Json] | None, asked: Json) -> tuple[Json, Json]:
    """The (block, element) with the asked action id, block id and value; `NotPossible` when it is not there."""
    action, block_id, value = asked.get("action_id"), asked.get("block_id"), asked.get("value")
    there = list(interactive(blocks))
    found = [
        (block, element)
        for block, element in there
        if element["action_id"] == action and block_id in (None, "", block["block_id"])
    ]
    if len(found) > 1 and value is not None:
        found = [pair for pair in found if pair[1].get("value") in (None, value)]
    if not found:
        seen = ", ".join(sorted({element["action_id"] for _, element in there})) or "nothing"
        raise NotPossible(f"there is no element {action!r} to act on; there is {seen}")
    return found[0]


def described(block: Json, element: Json, value: Json | None, stamp: str) -> Json:
    """One entry of the payload's `actions`."""
    kind = element["type"]
    shown: Json = {
        "type": kind,
        "action_id": element["action_id"],
        "block_id": block["block_id"],
        "action_ts": stamp,
    }
    if value is not None:
        return shown | {key: inner for key, inner in value.items() if key != "type"}
    for key in ("text", "value", "style"):
        if key in element:
            shown[key] = element[key]
    return shown


def chosen(element: Json, wanted: Any) -> Json | None:
    """The value object of an element for what a person chose: option values or labels, text, ids, dates.

    Returns None for a button, which has nothing to choose.
    """
    kind = element["type"]
    if kind == "overflow":
        return {"type": kind, "selected_option": _option(element, wanted)}
    if kind not in VALUE_KEYS:
        return None
    key, _ = VALUE_KEYS[kind]
    if isinstance(wanted, dict) and key in wanted:
        wanted = wanted[key]
    if key in LISTS:
        return {"type": kind, key: [_one(element, key, item) for item in wanted or []]}
    return {"type": kind, key: None if wanted in (None, "") else _one(element, key, wanted)}


def _one(element: Json, key: str, wanted: Any) -> Any:
    if not key.startswith("selected_option") or "external" in element["type"]:
        return wanted
    return _option(element, wanted)


def _option(element: Json, wanted: Any) -> Json:
    """The option with that value or label; only what is offered can be chosen."""
    sought = wanted.get("value") if isinstance(wanted, dict) else wanted
    offered = options_of(element)
    for option in offered:
        if sought in (option["value"], option["text"]["text"]):
            return option
    labels = ", ".join(repr(option["text"]["text"]) for option in offered)
    raise NotPossible(f"{sought!r} is not offered; there is {labels}")
