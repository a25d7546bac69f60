"""A table keeps Slack's limits itself, and the form for old clients is drawn only for them."""

from collections.abc import Callable

import pytest
from slackblocks import LengthError
from slackblocks.blocks import Block
from slackblocks.errors import InvalidUsageError

from bot.blocks import report
from bot.blocks.data_table import MOST_CHARACTERS, Cell, DataTable, number_cell, text_cell
from bot.blocks.drawn import Drawn, Json, rendered, rendered_if_it_fits
from bot.blocks.report import report_message
from knowledge_base_agent.report import Action, Column, Report, Row, Table
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


def test_what_does_not_fit_is_not_drawn_again_until_something_is_left_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sizes: list[int] = []

    def counted(draw: Callable[[], list[Block]]) -> tuple[Json, ...]:
        drawn = rendered_if_it_fits(draw)
        sizes.append(len(drawn))
        return drawn

    monkeypatch.setattr(report, "rendered_if_it_fits", counted)
    rows = tuple(
        Row(
            cells=("shop.pay", f"t{n}-0c0c0c0c-aaaa-bbbb-cccc"),
            actions=tuple(Action(label=f"Do {a}", words=f"logs t{n} --tail {a}") for a in range(5)),
        )
        for n in range(50)
    )
    columns = (Column(key="task", label="Task"), Column(key="id", label="Id"))
    tasks = Table(caption="Tasks", columns=columns, rows=rows, total=50)
    many = Report(title="Found", text="50 tasks.", parts=(tasks,))
    blocks = report_message(many, NOW).blocks
    (shown,) = (block for block in blocks if block["type"] == "data_table")
    assert len(shown["rows"]) < 50, "it did not fit whole"
    # Of 100, 60, 40, 25 and 15 rows, which a whole message is tried with, the second changes nothing of fifty.
    tried = [100, 40, 25, 15, 8]
    assert sizes == [0] * tried.index(len(shown["rows"]) - 1) + [len(blocks)]


def test_the_form_for_old_clients_is_drawn_once_and_only_when_asked_for() -> None:
    drawings: list[str] = []

    def draw() -> tuple[Json, ...]:
        drawings.append("drawn")
        return ({"type": "divider"},)

    drawn = Drawn(text="x", draw_plain=draw)
    assert drawings == []
    assert drawn.plain == drawn.plain == ({"type": "divider"},)
    assert drawings == ["drawn"]
