"""A message that is ready to be sent, in three forms: all blocks, those that every client knows, and text alone."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from slackblocks import (
    ActionsBlock,
    ContextBlock,
    DividerBlock,
    HeaderBlock,
    LengthError,
    Message,
    RichTextBlock,
    SectionBlock,
)
from slackblocks.blocks import Block

from bot.blocks.data_table import DataTable, check_characters

Json = dict[str, Any]

MOST_BLOCKS = 50
MOST_CHARACTERS = 9_500
"""Slack refuses more than about 12,000 (`msg_blocks_too_long`) and counts more than the texts: stay well below."""
_EACH_BLOCK = 40
_COUNTED = frozenset({"text", "value", "label", "name", "title", "caption", "placeholder"})
_NEW_BLOCKS = frozenset(
    {"data_table", "data_visualization", "container", "rich_text", "card", "plan"}
)
_COUNTED_ALONE = (
    ActionsBlock, ContextBlock, DataTable, DividerBlock, HeaderBlock, RichTextBlock, SectionBlock,
)  # fmt: skip
"""Blocks that a message may hold as many of as of any: they have checked themselves, a table's characters aside."""


@dataclass(frozen=True, kw_only=True)
class Drawn:
    """One message. `text` alone answers."""

    text: str
    blocks: tuple[Json, ...] = ()
    draw_plain: Callable[[], tuple[Json, ...]] = tuple
    """Draws `plain`, which takes as long as all the rest and is hardly ever needed."""

    @cached_property
    def plain(self) -> tuple[Json, ...]:
        """Blocks that no client or workspace refuses; drawn when first asked for, in whatever thread asks."""
        return self.draw_plain()

    @property
    def is_text_alone(self) -> bool:
        """Whether it was made without blocks of any kind."""
        return not self.blocks and self.draw_plain is tuple

    @property
    def new_kinds(self) -> frozenset[str]:
        """The block types in it that a workspace may not know yet."""
        return frozenset(block["type"] for block in self.blocks) & _NEW_BLOCKS


def rendered(blocks: Sequence[Block]) -> tuple[Json, ...]:
    """Check blocks against Slack's limits for messages and return them as JSON. Raises `InvalidUsageError`.

    The library's random block ids are left out: Slack makes its own, and the same result draws the same blocks.
    """
    check_characters(sum(one.characters for one in blocks if isinstance(one, DataTable)))
    # What a message is checked for as a whole, the library finds by making JSON of each block four times over. What
    # counts there by its number alone has checked itself, and a divider stands in for it.
    counted = [DividerBlock() if isinstance(one, _COUNTED_ALONE) else one for one in blocks]
    Message(channel="C", text="", blocks=counted)
    return tuple(map(_as_json, blocks))


def _as_json(block: Block) -> Json:
    if isinstance(block, DataTable):
        return block.as_json()
    # It is the library's own way to JSON; `Message.to_dict` would take it for each block more than once.
    made: Json = block._resolve()  # noqa: SLF001
    made.pop("block_id", None)
    return made


def rendered_if_it_fits(draw: Callable[[], Sequence[Block]]) -> tuple[Json, ...]:
    """Draw, and return the blocks as JSON, or nothing where that is more than a message may hold."""
    try:
        blocks = draw()
        found = rendered(blocks) if len(blocks) <= MOST_BLOCKS else ()
    except LengthError:  # a table of more text than Slack takes in all
        return ()
    return found if fits(found) else ()


def weight(blocks: Sequence[Json]) -> int:
    """Return about how many characters Slack counts in these blocks."""
    return sum(map(_characters, blocks)) + _EACH_BLOCK * len(blocks)


def fits(blocks: Sequence[Json]) -> bool:
    """Tell whether Slack takes a message of these blocks."""
    return len(blocks) <= MOST_BLOCKS and weight(blocks) <= MOST_CHARACTERS


def _characters(block: Json) -> int:
    if block["type"] == "data_table":  # hundreds of cells, each with one text
        texts = sum(len(cell["text"]) for row in block["rows"] for cell in row)
        return texts + len(block["caption"])
    return sum(map(len, _texts(block)))


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
