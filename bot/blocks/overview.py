"""What a person may do, one click away: looking, changing and destroying apart, the table of words below."""

from collections.abc import Sequence
from datetime import datetime

from slackblocks import ActionsBlock, HeaderBlock, RichTextBlock
from slackblocks.blocks import Block
from slackblocks.elements import Element

from bot.blocks.buttons import buttons
from bot.blocks.drawn import Drawn, rendered, rendered_if_it_fits
from bot.blocks.form import has_form, label_of, needs_words
from bot.blocks.help import may
from bot.blocks.plain_form import text_form
from bot.blocks.tables import table_blocks
from bot.blocks.text import escaped, heading, plain_text, sentence
from knowledge_base_agent.operations.operation import AnyOperation, Risk
from knowledge_base_agent.policy import NEEDED, Role
from knowledge_base_agent.report import Action, Column, Report, Row, Table

_GROUPS = {
    Risk.READ: "Look",
    Risk.CHANGE: "Change",
    Risk.DESTROY: "Destroy, after a preview",
}
_ROWS = 60
_BUTTONS = 25
_MORE = "`/kb help stuck` explains one of them, with its flags."


def offered(operations: Sequence[AnyOperation], role: Role) -> list[Block]:
    """Draw the buttons for what this role may do with a click, in groups."""
    drawn: list[Block] = []
    for risk, title in _GROUPS.items():
        asked = [one for one in allowed(operations, role) if one.risk is risk and _clickable(one)]
        made: list[Element] = []
        made.extend(buttons([Action(label=label_of(one), words=one.name) for one in asked]))
        # One block, whose buttons flow: rows of a fixed length leave gaps on a phone.
        drawn += [heading(title), ActionsBlock(made[:_BUTTONS])] if made else []
    return drawn


def allowed(operations: Sequence[AnyOperation], role: Role) -> list[AnyOperation]:
    """Return what this role may ask for."""
    return [one for one in operations if role.value >= NEEDED[one.risk].value]


def _clickable(operation: AnyOperation) -> bool:
    return has_form(operation) or not needs_words(operation)


def overview_message(
    report: Report, operations: Sequence[AnyOperation], role: Role, now: datetime
) -> Drawn:
    """Draw the answer to `/kb` alone; `report` is that of `help`."""
    head: list[Block] = [
        HeaderBlock(plain_text(report.title, 150)),
        RichTextBlock(sentence(may(role))),
        *offered(operations, role),
    ]
    words = _words(allowed(operations, role))

    def whole() -> list[Block]:
        return [*head, *table_blocks(words, _ROWS), RichTextBlock(sentence(_MORE))]

    return Drawn(
        text=escaped(f"{text_form(report, now)}\n{may(role)}"),
        blocks=rendered_if_it_fits(whole) or rendered(head),
        draw_plain=lambda: rendered(head),
    )


def _words(operations: Sequence[AnyOperation]) -> Table:
    """Return the table of words, in two narrow columns: with every flag it can't be read on a phone."""
    rows = tuple(Row(cells=(one.name, one.summary)) for one in operations)
    columns = (Column(key="word", label="Word"), Column(key="summary", label="What it does"))
    return Table(caption="Words", columns=columns, rows=rows, total=len(rows))
