"""Holds a message's or a view's blocks against all rules at once."""

from collections import Counter
from collections.abc import Collection
from typing import Any

from local_slack.blocks.layout import BLOCKS, SURFACES
from local_slack.blocks.parts import interactive, nested
from local_slack.blocks.rules import Findings, array, by_type, note
from local_slack.blocks.tables import CELLS
from local_slack.errors import Refusal, invalid
from local_slack.shapes import Json

# A message of more characters is refused; measured in the field at about this, and not documented.
MESSAGE_CHARACTERS = 12_000
CHARTS = 2
_MOST = {"message": 50, "modal": 100, "home": 100}
_COUNTED = ("text", "title", "caption", "label", "alt_text", "markdown_text")


def check_blocks(blocks: Any, surface: str, unknown: Collection[str] = ()) -> list[Json]:
    """Return the blocks if they are fine on that surface, else raise Slack's `invalid_blocks` with the findings.

    `unknown` names block types that this workspace pretends not to know.
    """
    findings: Findings = []
    allowed = {name: BLOCKS[name] for name in SURFACES[surface] if name not in unknown}
    array(by_type(allowed), 0, _MOST[surface])(blocks, "/blocks", findings)
    if not findings:
        _check_together(blocks, findings)
    if findings:
        raise invalid("invalid_blocks", findings)
    if surface == "message" and characters(blocks) > MESSAGE_CHARACTERS:
        raise Refusal("msg_blocks_too_long")
    checked: list[Json] = blocks
    return checked


def _check_together(blocks: list[Json], findings: Findings) -> None:
    _check_ids(blocks, findings)
    kinds = Counter(block["type"] for block in blocks)
    if kinds["data_visualization"] > CHARTS:
        note(findings, f"no more than {CHARTS} data_visualization blocks allowed", "/blocks")
    tables = [
        inner
        for block in blocks
        for inner in nested(block)
        if inner["type"] in ("table", "data_table")
    ]
    if sum(characters(table["rows"]) for table in tables) > CELLS:
        note(findings, f"table cells must be less than {CELLS + 1} characters in all", "/blocks")


def _check_ids(blocks: list[Json], findings: Findings) -> None:
    """A block id names one block of the message; an action id one element of its block."""
    ids = Counter(
        inner["block_id"] for block in blocks for inner in nested(block) if "block_id" in inner
    )
    for block_id, times in ids.items():
        if times > 1:
            note(
                findings,
                f"`block_id`: {block_id} is used {times} times and must be unique",
                "/blocks",
            )
    actions = Counter(
        (id(block), element["action_id"])
        for block, element in interactive(blocks)
        if element.get("action_id")
    )
    for (_, action_id), times in actions.items():
        if times > 1:
            note(
                findings,
                f"`action_id`: {action_id} is used {times} times and must be unique",
                "/blocks",
            )


def characters(value: Any) -> int:
    """How many characters of text a person would read in this JSON."""
    if isinstance(value, dict):
        own = sum(len(value[key]) for key in _COUNTED if isinstance(value.get(key), str))
        return own + sum(characters(inner) for inner in value.values())
    if isinstance(value, list):
        return sum(characters(inner) for inner in value)
    return 0
