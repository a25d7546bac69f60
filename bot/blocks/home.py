"""The Home tab: what this person may do, one click away, and what each word does."""

from collections.abc import Sequence
from datetime import datetime

from slackblocks import ContextBlock, HeaderBlock, HomeTabView, SectionBlock
from slackblocks.blocks import Block

from bot.blocks.drawn import Json
from bot.blocks.help import may
from bot.blocks.overview import allowed, offered
from bot.blocks.text import inert, literal, mrkdwn, plain_lines, plain_text
from bot.blocks.values import local_moment
from knowledge_base_agent.operations.operation import AnyOperation
from knowledge_base_agent.policy import Role

_WHERE = (
    "An answer comes as a message of the app. /kb help stuck explains one word, with its flags."
)


def home_view(
    operations: Sequence[AnyOperation], role: Role, *, name: str, state: str, now: datetime
) -> Json:
    """Draw the Home tab of one person; `state` is a line about the bot itself."""
    mine = allowed(operations, role)
    buttons = offered(operations, role)
    blocks: list[Block] = [
        HeaderBlock(plain_text("On call", 150)),
        SectionBlock(plain_lines(f"Hello {literal(name, 80)}. {may(role)}")),
        *buttons,
    ]
    if buttons:
        blocks.append(ContextBlock([plain_text(_WHERE, 150)]))
    blocks.extend(
        SectionBlock(mrkdwn(f"`/kb {one.name}`\n{inert(one.summary)}")) for one in mine[:40]
    )
    blocks.append(ContextBlock([mrkdwn(f"{inert(state)} · {local_moment(now)}")]))
    view: Json = HomeTabView(blocks).to_dict()
    view["blocks"] = [
        {k: v for k, v in block.items() if k != "block_id"} for block in view["blocks"]
    ]
    return view
