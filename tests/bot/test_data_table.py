"""A table keeps Slack's limits itself, and the form for old clients is drawn only for them."""

from collections.abc import Callable

import pytest
from slackblocks import LengthError
from slackblocks.errors import InvalidUsageError

from bot.blocks.data_table import MOST_CHARACTERS, Cell, DataTable, number_cell, text_cell
from bot.blocks.drawn import Drawn, Json, rendered, rendered_if_it_fits
from bot.blocks.report import report_message
from local_slack.blocks.check import check_blocks
from tests.bot import samples
from tests.bot.samples import NOW


def table(
    rows: int, columns: int = 2, text: str = "x", caption: str = "Tasks", page: int = 10
) -> DataTable:
    """Return a table of so many rows, the headings among them."""
    cells = [[text_cell(text)] * columns for _ in range(rows)]
    return DataTable(cells, caption=caption, page_size=page)


@pytest.mark.parametrize(("rows", "columns"), [(2, 1), (101, 20), (101, 1), (2, 20)])
def test_what_slack_takes_can_be_drawn(rows: int, columns: int) -> None:
    check_blocks(list(rendered([table(rows, columns)])), "message")


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: table(1),
        lambda: table(102),
        lambda: table(2, 0),
        lambda: table(2, 21),
        lambda: table(2, text=""),
        lambda: table(2, caption=""),
        lambda: table(2, page=0),
        lambda: table(2, page=101),
        lambda: table(101, text="x" * 100),
    ],
)
def test_what_slack_refuses_is_never_made(wrong: Callable[[], DataTable]) -> None:
    with pytest.raises(LengthError):
        wrong()


def test_every_row_is_as_wide_as_the_headings() -> None:
    ragged: list[list[Cell]] = [[text_cell("a")], [text_cell("b"), number_cell(1, "1")]]
    with pytest.raises(InvalidUsageError):
        DataTable(ragged, caption="Tasks", page_size=1)


def test_two_tables_share_what_the_cells_of_one_message_may_hold() -> None:
    half = table(3, 2, "x" * (MOST_CHARACTERS // 10))
    with pytest.raises(LengthError):
        rendered([half, half])
    assert rendered_if_it_fits(lambda: [half, half]) == ()


def test_tables_stay_where_they_stood_between_other_blocks() -> None:
    message = report_message(samples.stuck(12), NOW)
    kinds = [block["type"] for block in message.blocks]
    assert kinds.index("data_table") == len(kinds) - 2, kinds
    assert "divider" not in kinds


def test_the_form_for_old_clients_is_drawn_once_and_only_when_asked_for() -> None:
    drawings: list[str] = []

    def draw() -> tuple[Json, ...]:
        drawings.append("drawn")
        return ({"type": "divider"},)

    drawn = Drawn(text="x", draw_plain=draw)
    assert drawings == []
    assert drawn.plain == drawn.plain == ({"type": "divider"},)
    assert drawings == ["drawn"]
