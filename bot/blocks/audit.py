"""An entry of the audit as one short message."""

from slackblocks import ContextBlock

from bot.blocks.drawn import Drawn, rendered
from bot.blocks.text import GRAVE, escaped, inert, literal, mrkdwn, plain_text
from bot.blocks.values import local_moment, moment
from knowledge_base_agent.audit import Entry, Kind

_ICONS = {
    Kind.REQUESTED: "💬",
    Kind.ANSWERED: "🗒️",
    Kind.SHOWN: "👁️",
    Kind.FAILED: "⚠️",
    Kind.REFUSED: "⛔",
    Kind.PREVIEWED: "🔍",
    Kind.CONFIRMED: "👍",
    Kind.CANCELLED: "🚫",
    Kind.EXPIRED: "⌛",
    Kind.TOO_LATE: "🐢",
    Kind.STARTED: "▶️",
    Kind.ENDED: "🏁",
    Kind.INTERRUPTED: "🔴",
    Kind.ALERTED: "🔔",
    Kind.RESOLVED: "✅",
}
REPEAT = "(may be a repeat)"


def entry_message(entry: Entry, *, may_repeat: bool = False) -> Drawn:
    """Draw an entry: what happened, who, which words, what came of it, and where.

    `may_repeat` labels an entry that may stand there already, since Slack's answer to it got lost.
    """
    what = f"{_ICONS[entry.kind]} {entry.kind.value}"
    words = literal(entry.words or entry.operation, 400)
    outcome = [literal(more, 500) for more in (entry.run_id or "", entry.detail) if more]
    outcome += [REPEAT] if may_repeat else []
    who = f"{literal(entry.actor_name, 80)} ({literal(entry.actor_id, 40)}, {entry.surface})"
    by = f"{inert(entry.actor_name, 80)} ({inert(entry.actor_id, 40)}, {entry.surface})"
    code = f"`{escaped(words.replace('`', GRAVE))}`"
    elements = [mrkdwn(f"{what} · {by} · {code}")]
    elements += [plain_text(" · ".join(outcome), 1000)] if outcome else []
    elements += [mrkdwn(local_moment(entry.at))]
    blocks = rendered([ContextBlock(list(elements))])
    text = " · ".join([what, who, words, *outcome, moment(entry.at)])
    return Drawn(text=escaped(text), blocks=blocks, plain=blocks)
