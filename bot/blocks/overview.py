"""What a person may do, one click away: looking, changing and destroying apart, the table of words below."""

from collections.abc import Sequence
from datetime import datetime

from slackblocks import HeaderBlock, RichTextBlock
from slackblocks.blocks import Block

from bot.blocks.buttons import action_rows
from bot.blocks.drawn import Drawn, rendered, rendered_if_it_fits
from bot.blocks.form import has_form, label_of, needs_words
from bot.blocks.help import may
from bot.blocks.plain_form import text_form
from bot.blocks.tables import table_blocks
from bot.blocks.text import escaped, heading, plain_text, sentence
from knowledge_base_agent.operations.operation import AnyOperation, Risk
from knowledge_base_agent.policy import NEEDED, Role
from knowledge_base_agent.report import Action, Report, Table

_GROUPS = {
    Risk.READ: "Look",
    Risk.CHANGE: "Change",
    Risk.DESTROY: "Destroy, after a preview",
}
_ROWS = 60


def offered(operations: Sequence[AnyOperation], role: Role) -> list[Block]:
    """Draw the buttons for what this role may do with a click, in groups."""
    drawn: list[Block] = []
    for risk, title in _GROUPS.items():
        if role.value >= NEEDED[risk].value:
            asked = [one for one in operations if one.risk is risk and _clickable(one)]
            rows = action_rows([Action(label=label_of(one), words=one.name) for one in asked])
            drawn += [heading(title), *rows] if rows else []
    return drawn


def _clickable(operation: AnyOperation) -> bool:
    return operation.name != "help" and (has_form(operation) or not needs_words(operation))


def overview_message(
    report: Report, operations: Sequence[AnyOperation], role: Role, now: datetime
) -> Drawn:
    """Draw the answer to `/kb` alone; `report` is that of `help`."""
    head: list[Block] = [
        HeaderBlock(plain_text(report.title, 150)),
        RichTextBlock(sentence(may(role))),
        *offered(operations, role),
    ]
    tables = [part for part in report.parts if isinstance(part, Table)]

    def whole() -> list[Block]:
        return [*head, *(block for table in tables for block in table_blocks(table, _ROWS))]

    return Drawn(
        text=escaped(f"{text_form(report, now)}\n{may(role)}"),
        blocks=rendered_if_it_fits(whole) or rendered(head),
        plain=rendered(head),
    )
