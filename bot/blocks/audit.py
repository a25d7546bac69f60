"""An entry of the audit as one short message."""

from slackblocks import ActionsBlock, Button, ContextBlock
from slackblocks.blocks import Block

from bot.blocks.buttons import STOP
from bot.blocks.drawn import Drawn, Json, rendered
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
    Kind.APPROVED: "🤝",
    Kind.BREAKING_GLASS: "🚨",
    Kind.BROKE_GLASS: "🚨",
    Kind.CANCELLED: "🚫",
    Kind.EXPIRED: "⌛",
    Kind.SUPERSEDED: "🔄",
    Kind.REPEATED: "✋",
    Kind.TOO_LATE: "🐢",
    Kind.STARTED: "▶️",
    Kind.ENDED: "🏁",
    Kind.INTERRUPTED: "🔴",
    Kind.ALERTED: "🔔",
    Kind.RESOLVED: "✅",
    Kind.HEAD: "🔗",
    Kind.OTHER: "❔",
}
REPEAT = "(may be a repeat)"
MARK = "kb_audit_entry"
"""The name of the metadata of an entry's message."""


def entry_mark(entry: Entry) -> Json:
    """Return what goes along for programs: which entry it is, and its seal in the chain."""
    return {"event_type": MARK, "event_payload": {"entry": entry.id, "sha256": entry.seal}}


def entry_message(entry: Entry, *, may_repeat: bool = False) -> Drawn:
    """Draw an entry: what happened, who, which words, what came of it, and where.

    `may_repeat` labels an entry that may stand there already, since Slack's answer to it got lost.
    """
    if entry.kind is Kind.HEAD:
        return _head_message(entry, may_repeat=may_repeat)
    what = f"{_ICONS[entry.kind]} {entry.kind.value}"
    words = literal(entry.words or entry.operation, 400)
    outcome = [literal(more, 500) for more in (entry.run_id or "", entry.detail) if more]
    outcome += [REPEAT] if may_repeat else []
    who = f"{literal(entry.actor_name, 80)} ({literal(entry.actor_id, 40)}, {entry.surface})"
    by = f"{inert(entry.actor_name, 80)} ({inert(entry.actor_id, 40)}, {entry.surface})"
    code = f"`{escaped(words.replace('`', GRAVE))}`"
    elements = [mrkdwn(f"{what} · {by} · {code}")]
    elements += [plain_text(" · ".join(outcome), 1000)] if outcome else []
    number = f"entry {entry.id:,}"
    elements += [mrkdwn(f"{local_moment(entry.at)} · {number}")]
    blocks = rendered([ContextBlock(list(elements)), *_stop(entry)])
    text = " · ".join([what, who, words, *outcome, moment(entry.at), number])
    return Drawn(text=escaped(text), blocks=blocks, draw_plain=lambda: blocks)


def _stop(entry: Entry) -> list[Block]:
    """Draw the button for whoever is on call and knows better than who means to go on alone."""
    if entry.kind is not Kind.BREAKING_GLASS or not entry.confirmation_id:
        return []
    stop = Button(plain_text("Stop this", 75), STOP, value=entry.confirmation_id, style="danger")
    return [ActionsBlock([stop])]


def _head_message(entry: Entry, *, may_repeat: bool) -> Drawn:
    """Draw a head: the seal of all entries up to one, to be copied and kept."""
    text = f"{_ICONS[entry.kind]} Audit head: {literal(entry.detail, 200)}"
    text += f" {REPEAT}" if may_repeat else ""
    number = f"entry {entry.id:,}"
    elements = [plain_text(text), mrkdwn(f"{local_moment(entry.at)} · {number}")]
    blocks = rendered([ContextBlock(list(elements))])
    whole = f"{escaped(text)} · {moment(entry.at)} · {number}"
    return Drawn(text=whole, blocks=blocks, draw_plain=lambda: blocks)
