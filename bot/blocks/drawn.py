"""A message that is ready to be sent, in three forms: all blocks, those that every client knows, and text alone."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from slackblocks import LengthError, Message
from slackblocks.blocks import Block

Json = dict[str, Any]

MOST_BLOCKS = 50
MOST_CHARACTERS = 9_500
"""Slack refuses more than about 12,000 (`msg_blocks_too_long`) and counts more than the texts: stay well below."""
_EACH_BLOCK = 40
_COUNTED = frozenset({"text", "value", "label", "name", "title", "caption", "placeholder"})
_NEW_BLOCKS = frozenset(
    {"data_table", "data_visualization", "container", "rich_text", "card", "plan"}
)


@dataclass(frozen=True, kw_only=True)
class Drawn:
    """One message. `text` alone answers; `plain` are blocks that no client or workspace refuses."""

    text: str
    blocks: tuple[Json, ...] = ()
    plain: tuple[Json, ...] = ()

    @property
    def new_kinds(self) -> frozenset[str]:
        """The block types in it that a workspace may not know yet."""
        return frozenset(block["type"] for block in self.blocks) & _NEW_BLOCKS


def rendered(blocks: Sequence[Block]) -> tuple[Json, ...]:
    """Check blocks against Slack's limits for messages and return them as JSON. Raises `InvalidUsageError`.

    The library's random block ids are left out: Slack makes its own, and the same result draws the same blocks.
    """
    found: Json = Message(channel="C", text="", blocks=list(blocks)).to_dict()
    return tuple(_without_id(block) for block in found["blocks"])


def rendered_if_it_fits(draw: Callable[[], Sequence[Block]]) -> tuple[Json, ...]:
    """Draw, and return the blocks as JSON, or nothing where that is more than a message may hold."""
    try:
        blocks = draw()
        found = rendered(blocks) if len(blocks) <= MOST_BLOCKS else ()
    except LengthError:  # a table of more text than Slack takes in all
        return ()
    return found if fits(found) else ()


def _without_id(block: Json) -> Json:
    return {key: value for key, value in block.items() if key != "block_id"}


def weight(blocks: Sequence[Json]) -> int:
    """Return about how many characters Slack counts in these blocks."""
    return sum(len(text) for text in _texts(list(blocks))) + _EACH_BLOCK * len(blocks)


def fits(blocks: Sequence[Json]) -> bool:
    """Tell whether Slack takes a message of these blocks."""
    return len(blocks) <= MOST_BLOCKS and weight(blocks) <= MOST_CHARACTERS


def _texts(node: object) -> Iterator[str]:
    if isinstance(node, dict):
        for key, value in node.items():
            if isinstance(value, str):
                if key in _COUNTED:
                    yield value
            else:
                yield from _texts(value)
    elif isinstance(node, list | tuple):
        for item in node:
            if isinstance(item, str):
                yield item
            else:
                yield from _texts(item)
