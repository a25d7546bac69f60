"""A table of a report: a data table, or a section a row where there are few and something can be done about each."""

from collections.abc import Callable, Sequence
from functools import lru_cache

from slackblocks import ActionsBlock, RichTextBlock, SectionBlock
from slackblocks.blocks import Block
from slackblocks.elements import Element

from bot.blocks.buttons import action_rows, buttons, menu
from bot.blocks.data_table import MOST_COLUMNS, Cell, DataTable, number_cell, text_cell
from bot.blocks.text import heading, inert, literal, mrkdwn, sentence
from bot.blocks.values import marked, said, share, sortable, with_icon
from knowledge_base_agent.report import Row, Table, Value

MOST_ROWS = 100
ROWS_WITH_BUTTONS = 8
_CELL = 120
_PAGE = 10
_MENUS = 5
_SHORT = 32
_BETWEEN = " · "
_IN_SECTION = 200
_PIECES = 10  # of at most 260 characters each, so that a section holds them uncut
_DONE = "Done"


def table_blocks(table: Table, most_rows: int) -> list[Block]:
    """Draw a table with at most `most_rows` rows, and say how many there are where not all are shown."""
    rows = table.rows[: min(most_rows, MOST_ROWS)]
    if not rows:
        return [RichTextBlock(sentence(summary(table, 0)))]
    if not few_with_actions(table):
        return _data_table(table, rows)
    return [heading(summary(table, len(rows))), *row_sections(table, rows)]


def few_with_actions(table: Table) -> bool:
    """Tell whether each row gets a section with its own buttons."""
    return len(table.rows) <= ROWS_WITH_BUTTONS and any(row.actions for row in table.rows)


def summary(table: Table, shown: int) -> str:
    """Return the caption and how much of the table is shown."""
    caption = literal(table.caption, 150)
    if table.total is None:
        return f"{caption}: {shown} shown, how many there are is unknown"
    total = max(table.total, len(table.rows))
    if total == 0:
        return f"{caption}: none"
    return f"{caption}: {total}" if shown >= total else f"{caption}: {shown} of {total} shown"


def row_sections(table: Table, rows: Sequence[Row]) -> list[Block]:
    """Draw a section a row, with the buttons of that row."""
    return [block for row in rows for block in _row_section(table, row)]


def _row_section(table: Table, row: Row) -> list[Block]:
    pieces: list[str] = []
    for index, column in enumerate(table.columns):
        if index > 0 and _at(row, index) != "":
            pieces.append(f"{inert(column.label, 60)}: {marked(_at(row, index), _IN_SECTION)}")
    first = with_icon(f"*{marked(_at(row, 0), _CELL)}*", row.tone)
    text = "\n".join([first, *_flowing(pieces[:_PIECES])])
    if row.progress is not None:
        text += f"\n{share(row.progress)}"
    # The first button stands beside its row, so that nobody takes it for another row's.
    beside = next(iter(buttons(row.actions[:1])), None)
    return [SectionBlock(mrkdwn(text), accessory=beside), *action_rows(row.actions[1:])]


def _flowing(pieces: Sequence[str]) -> list[str]:
    """Put short pieces on one line and give each long one its own, so that nothing has to be searched for."""
    short = [piece for piece in pieces if len(piece) <= _SHORT and _BETWEEN not in piece]
    return [*([_BETWEEN.join(short)] if short else []), *(p for p in pieces if p not in short)]


def _data_table(table: Table, rows: Sequence[Row]) -> list[Block]:
    whole = table.total == len(rows)
    caption = summary(table, len(rows)) if whole else literal(table.caption, 150)
    bars = any(row.progress is not None for row in rows)
    columns = table.columns[: MOST_COLUMNS - int(bars)]
    head = [text_cell(literal(column.label, _CELL)) for column in columns]
    if bars:
        head.append(text_cell(_DONE))
    # The same state, queue or error stands in many rows. `typed`: 1 and True, and `Raw` and other text, are equal.
    cell = lru_cache(maxsize=None, typed=True)(_cell)
    body = [_cells(row, len(columns), cell, bars=bars) for row in rows]
    block = DataTable([head, *body], caption=caption, page_size=min(_PAGE, len(rows)))
    # Not every client shows the caption, and that something is missing must be seen.
    cut = [] if whole else [RichTextBlock(sentence(summary(table, len(rows))))]
    return [*cut, block, *row_menus(rows)]


def _cells(row: Row, width: int, cell: Callable[[Value], Cell], *, bars: bool) -> list[Cell]:
    cells = [cell(value) for value in row.cells[:width]]
    cells += [cell(None)] * (width - len(cells))
    if cells and cells[0]["type"] == "raw_text":
        cells[0] = text_cell(with_icon(cells[0]["text"], row.tone))
    if bars:
        cells.append(text_cell("unknown" if row.progress is None else share(row.progress)))
    return cells


def _cell(value: Value) -> Cell:
    if isinstance(value, str):
        return text_cell(literal(value, _CELL))
    text = said(value, _CELL)
    sort_by = sortable(value)
    return text_cell(text) if sort_by is None else number_cell(sort_by, text)


def _at(row: Row, index: int) -> Value:
    return row.cells[index] if index < len(row.cells) else None


def row_menus(rows: Sequence[Row]) -> list[ActionsBlock]:
    """Draw a menu for each kind of action: choosing a row does it, as clicking its button would."""
    labels: dict[str, list[tuple[str, str]]] = {}
    for row in rows:
        name = _name(row) if row.actions else ""
        for action in row.actions:
            labels.setdefault(action.label, []).append((name, action.words))
    made = (menu(label, choices, at) for at, (label, choices) in enumerate(labels.items()))
    menus: list[Element] = []
    menus.extend(one for one in made if one is not None)
    return [ActionsBlock(menus[:_MENUS])] if menus else []


def _name(row: Row) -> str:
    texts = [said(value, 40) for value in row.cells[:2] if value not in (None, "")]
    return literal(" · ".join(texts), 75)


def table_lines(table: Table, most_rows: int) -> list[str]:
    """Return the caption and the first rows as literal lines, for the text form."""
    rows = table.rows[:most_rows]
    found = [summary(table, len(rows))]
    labels = [literal(column.label, 60) for column in table.columns]
    for row in rows:
        cells = [
            said(_at(row, 0), _CELL),
            *(
                f"{label}: {said(_at(row, at), _CELL)}"
                for at, label in enumerate(labels)
                if at > 0 and _at(row, at) != ""
            ),
        ]
        done = [share(row.progress)] if row.progress is not None else []
        found.append(with_icon(" · ".join([*cells, *done]), row.tone))
    return found
