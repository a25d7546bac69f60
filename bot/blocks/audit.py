"""An entry of the audit as one short message."""

from slackblocks import ContextBlock

from bot.blocks.drawn import Drawn, rendered
from bot.blocks.text import escaped, inert, literal, mrkdwn
from bot.blocks.values import local_moment, moment
from knowledge_base_agent.audit import Entry, Kind

_ICONS = {
    Kind.REQUESTED: "💬",
    Kind.ANSWERED: "🗒️",
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
}
REPEAT = "(may be a repeat)"


def entry_message(entry: Entry, *, may_repeat: bool = False) -> Drawn:
    """Draw an entry: what happened, who, which words, what came of it, and where.

    `may_repeat` labels an entry that may stand there already, since Slack's answer to it got lost.
    """
    words = entry.words or entry.operation
    head = f"{_ICONS[entry.kind]} {entry.kind.value}"
    by = f"{inert(entry.actor_name, 80)} ({inert(entry.actor_id, 40)}, {entry.surface})"
    marks = [head, by, f"`{escaped(words_for_code(words))}`"]
    plain = [
        head,
        f"{literal(entry.actor_name, 80)} ({literal(entry.actor_id, 40)}, {entry.surface})",
        literal(words, 400),
    ]
    for more in (entry.run_id or "", entry.detail):
        if more:
            marks.append(inert(more, 500))
            plain.append(literal(more, 500))
    if may_repeat:
        marks.append(REPEAT)
        plain.append(REPEAT)
    blocks = rendered([ContextBlock([mrkdwn(" · ".join([*marks, local_moment(entry.at)]))])])
    return Drawn(text=escaped(" · ".join([*plain, moment(entry.at)])), blocks=blocks, plain=blocks)


def words_for_code(words: str) -> str:
    """Return words that can stand in a code span."""
    return literal(words, 400).replace("`", "\u02cb")
