"""Text from outside, made harmless for each place that Slack shows text in.

Slack has no backslash: within `mrkdwn`, a character can't be escaped but for & < and >. So names go into a code span
as soon as they hold anything that Slack would read as formatting, and sentences go into rich text, which is literal.
"""

import re

from slackblocks import RichTextBlock, RichTextSection, Text, TextType
from slackblocks.rich_text.elements import RichText, RichTextElement

from knowledge_base_agent.redaction import Raw, redact, shorten, shown

NOTHING = "—"
GRAVE = "\u02cb"
"""Looks like a backtick and ends no code span."""
# What Slack could take for bold, italic, strike, code, a quote or an emoji. An underscore within a word is none.
_SPECIAL = re.compile(r"[*~`]|(?<![^\W_])_|_(?![^\W_])|^\s*>|:[\w+-]+:")
_KEPT_CONTROL = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f]|[\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff]"
)


def literal(text: str, limit: int) -> str:
    """Return one line for a place that Slack shows as it is: plain text, a cell, rich text. Never empty."""
    return shown(text, limit) or NOTHING


def escaped(text: str) -> str:
    """Return text in which nothing can ping, link or look like an entity: & < and > as Slack wants them."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def inert(text: str, limit: int = 300) -> str:
    """Return one line for `mrkdwn` that shows exactly what it holds, in a code span where that is needed.

    It is at most `limit` characters long after escaping, so that nobody has to cut it, perhaps within an entity.
    """
    room = limit
    while True:
        line = literal(text, room)
        safe = escaped(line)
        if _SPECIAL.search(line):
            safe = f"`{safe.replace('`', GRAVE)}`"
        if len(safe) <= limit or room <= 1:
            return safe
        room = max(room * limit // (len(safe) + 1), 1)


def lines(text: str, limit: int) -> str:
    """Return several literal lines: redacted if not `Raw`, without control and bidi characters, the end kept."""
    visible = _KEPT_CONTROL.sub("", text)
    said = visible if isinstance(text, Raw) else redact(visible)
    clean = said.replace("\u2028", "\n").replace("\u2029", "\n")
    clean = clean.strip("\n")
    if len(clean) > limit:
        clean = "…" + clean[-(limit - 1) :]
    return clean or NOTHING


def mrkdwn(text: str) -> Text:
    """Return a text object of ours in `mrkdwn`, in which Slack looks for no links or names by itself."""
    return Text(shorten(text, 3000)[0], TextType.MARKDOWN, verbatim=True)


def plain_text(text: str, limit: int = 3000) -> Text:
    """Return a plain text object, in which `:words:` stay words."""
    return Text(literal(text, limit), TextType.PLAINTEXT)


def plain_lines(text: str, limit: int = 3000) -> Text:
    """Return a plain text object that keeps its lines."""
    return Text(lines(text, limit), TextType.PLAINTEXT)


def sentence(text: str, limit: int = 2000, *, icon: str = "") -> RichTextSection:
    """Return a sentence as rich text: literal, but for what stands between backticks, which becomes code."""
    pieces = literal(text, limit).split("`")
    elements: list[RichTextElement] = [RichText(f"{icon} ")] if icon else []
    for index, piece in enumerate(pieces):
        if piece:
            in_code = index % 2 == 1 and index < len(pieces) - 1
            elements.append(RichText(piece, code=True if in_code else None))
    return RichTextSection(elements or [RichText(NOTHING)])


def heading(text: str) -> RichTextBlock:
    """Return a line of its own in bold, literal."""
    return RichTextBlock(RichTextSection([RichText(literal(text, 150), bold=True)]))
