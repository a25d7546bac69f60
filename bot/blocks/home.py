"""The Home tab: what this person may do, and the questions that are asked most, one click away."""

from collections.abc import Sequence
from datetime import datetime

from slackblocks import ContextBlock, HeaderBlock, HomeTabView, SectionBlock
from slackblocks.blocks import Block

from bot.blocks.buttons import action_rows
from bot.blocks.drawn import Json
from bot.blocks.help import may
from bot.blocks.text import inert, literal, mrkdwn, plain_lines, plain_text
from bot.blocks.values import local_moment
from knowledge_base_agent.operations.describing import usage
from knowledge_base_agent.operations.operation import AnyOperation
from knowledge_base_agent.policy import NEEDED, Role
from knowledge_base_agent.report import Action

_ASKED_MOST = ("stats", "active", "stuck", "help")


def home_view(
    operations: Sequence[AnyOperation], role: Role, *, name: str, state: str, now: datetime
) -> Json:
    """Draw the Home tab of one person; `state` is a line about the bot itself."""
    allowed = [one for one in operations if role.value >= NEEDED[one.risk].value]
    names = {one.name for one in allowed}
    asked = [Action(label=f"/kb {word}", words=word) for word in _ASKED_MOST if word in names]
    blocks: list[Block] = [
        HeaderBlock(plain_text("On call", 150)),
        SectionBlock(plain_lines(f"Hello {literal(name, 80)}. {may(role)}")),
        *action_rows(asked),
    ]
    if asked:
        blocks.append(SectionBlock(plain_text("An answer comes as a message of the app.", 150)))
    blocks.extend(
        SectionBlock(mrkdwn(f"`/kb {usage(one)}`\n{inert(one.summary)}")) for one in allowed[:40]
    )
    blocks.append(ContextBlock([mrkdwn(f"{inert(state)} · {local_moment(now)}")]))
    view: Json = HomeTabView(blocks).to_dict()
    view["blocks"] = [
        {k: v for k, v in block.items() if k != "block_id"} for block in view["blocks"]
    ]
    return view
