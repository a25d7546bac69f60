"""The `data_table` block, made of cells that are JSON already, and checked against Slack's limits as it is made.

slackblocks has this block too, but walks through each of its cells several times on the way to JSON, which was half of
the time that a message of fifty rows took. All other blocks, with a handful of values each, are slackblocks' own.
"""

from collections.abc import Sequence
from typing import Any

from slackblocks import LengthError, TypeMismatchError
from slackblocks.blocks import Block, BlockType

Cell = dict[str, Any]

MOST_ROWS = 101
"""With the row of headings (Slack's reference of `data_table`)."""
MOST_COLUMNS = 20
MOST_CHARACTERS = 20_000
"""Of the texts of all cells in a message, however many tables they stand in."""
_MOST_ON_A_PAGE = 100


def text_cell(text: str) -> Cell:
    """Return a cell that shows this text, and is sorted by it."""
    return {"type": "raw_text", "text": text}


def number_cell(value: float, text: str) -> Cell:
    """Return a cell that shows this text, and is sorted by the number."""
    return {"type": "raw_number", "value": value, "text": text}


class DataTable(Block):
    """A table that a reader can sort; the first row holds the headings. Raises `LengthError` beyond Slack's limits."""

    def __init__(self, rows: Sequence[Sequence[Cell]], caption: str, page_size: int) -> None:
        super().__init__(BlockType.DATA_TABLE)
        if not 2 <= len(rows) <= MOST_ROWS:
            raise LengthError(f"A data table has 2 to {MOST_ROWS} rows, not {len(rows)}.")
        width = len(rows[0])
        if not 1 <= width <= MOST_COLUMNS:
            raise LengthError(f"A data table has 1 to {MOST_COLUMNS} columns, not {width}.")
        if not caption or not 1 <= page_size <= _MOST_ON_A_PAGE:
            raise LengthError(
                f"A data table has a caption, and 1 to {_MOST_ON_A_PAGE} rows a page."
            )
        self.characters = sum(_characters(row, width) for row in rows)
        check_characters(self.characters)
        self._rows = rows
        self._caption = caption
        self._page_size = page_size

    def _resolve(self) -> dict[str, Any]:
        return {
            "type": self.type.value,
            "rows": self._rows,
            "page_size": self._page_size,
            "caption": self._caption,
            "row_header_column_index": 0,
        }

    def as_json(self) -> dict[str, Any]:
        """Return the block as Slack takes it."""
        return self._resolve()


def check_characters(count: int) -> None:
    """Raise `LengthError` if that is more text than the cells of one message may hold."""
    if count > MOST_CHARACTERS:
        raise LengthError(f"Data tables hold {MOST_CHARACTERS:,} characters, not {count:,}.")


def _characters(row: Sequence[Cell], width: int) -> int:
    if len(row) != width:
        raise TypeMismatchError("All rows of a data table have the same number of cells.")
    lengths = [len(cell["text"]) for cell in row]
    if not all(lengths):
        raise LengthError("A cell of a data table cannot be empty.")
    return sum(lengths)
