"""What is hidden and cut before text from outside reaches a log, a row, an audit entry or a person."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from knowledge_base_agent.secret_shapes import (
    may_hold_a_secret,
    named_by,
    without_named,
    without_shapes,
)

HIDDEN = "•••"
_MARK = "…"
_SHORTEST = 8
"""Characters of a secret value of our own that is looked for: a shorter one would be found within ordinary words."""

# Control characters, halves of surrogate pairs (which no encoding can write), and the bidirectional overrides that make
# text read as what it is not.
_INVISIBLE = re.compile(
    "[\ud800-\udfff\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff]"
)


class Raw(str):
    """Text that somebody with the role for it asked to see as it is: `shown` cleans and cuts it, and hides nothing.

    Whatever is made of it by formatting, slicing or joining is an ordinary `str` again, and is redacted as ever.
    """

    __slots__ = ()


@dataclass(frozen=True, kw_only=True)
class Hiding:
    """What is hidden in this process, besides the shapes that everybody's secrets have."""

    named: re.Pattern[str] = field(default_factory=named_by)
    more_names: bool = False
    patterns: tuple[re.Pattern[str], ...] = ()
    known: tuple[str, ...] = ()
    values: re.Pattern[str] | None = None
    """What finds one of `known`, unless it is a part of a longer word."""


class _Process:
    hiding = Hiding()


def hide_also(
    *, names: Iterable[str] = (), patterns: Iterable[str] = (), values: Iterable[str] = ()
) -> None:
    """Hide in this process, from now on, values with these names, what fits these patterns, and these very values.

    What an earlier call said is forgotten. Raises `re.error` for what is no regular expression.
    """
    known = sorted({value for value in values if len(value) >= _SHORTEST}, key=len, reverse=True)
    more = [name for name in names if name]
    _Process.hiding = Hiding(
        named=named_by(more),
        more_names=bool(more),
        patterns=tuple(re.compile(pattern) for pattern in patterns),
        known=tuple(known),
        values=re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, known))})(?!\w)")
        if known
        else None,
    )


def compilable(patterns: str) -> tuple[str, ...]:
    """Return regular expressions written with spaces between them. Raises `ValueError` for what is none."""
    found = tuple(patterns.split())
    for pattern in found:
        try:
            hides_all = re.compile(pattern).search("") is not None
        except re.error as error:
            raise ValueError(f"{pattern} is no regular expression: {error}") from error
        if hides_all:
            raise ValueError(f"{pattern} fits everything")
    return found


def redact(text: str) -> str:
    """Return the text with known secrets hidden: named values, passwords in URLs, tokens of known shapes, our own."""
    # Nearly every text is harmless, and a message is made of hundreds: the patterns cost ten times what the proof does.
    return str(text) if harmless(text) else searched(text)


def searched(text: str) -> str:
    """Return what `redact` does, found by every pattern."""
    hiding = _Process.hiding
    if hiding.values is not None:
        text = hiding.values.sub(HIDDEN, text)
    text = without_shapes(text, HIDDEN)
    for pattern in hiding.patterns:
        text = pattern.sub(HIDDEN, text)
    return without_named(text, hiding.named, HIDDEN)


def harmless(text: str) -> bool:
    """Tell whether it is certain that `searched` would find nothing."""
    hiding = _Process.hiding
    for value in hiding.known:
        if value in text:
            return False
    for pattern in hiding.patterns:
        if pattern.search(text):
            return False
    return not may_hold_a_secret(text, more_names=hiding.more_names)


def shorten(text: str, limit: int) -> tuple[str, bool]:
    """Return the text cut to at most `limit` characters, and whether it was cut."""
    if len(text) <= limit:
        return text, False
    return text[: max(limit - len(_MARK), 0)] + _MARK, True


def plain(text: str, limit: int = 300) -> str:
    """Return text from outside fit for one line: redacted, no control or bidi characters, no line breaks, capped."""
    # As nearly every text is, and a message is made of hundreds. What is printable has no white space but blanks.
    if text.isprintable() and len(text) <= limit and "  " not in text and harmless(text):
        return text.strip()
    # In this order: an invisible sign would split a secret's name.
    visible = _visible(text)
    return _one_line(visible if harmless(visible) else searched(visible), limit)


def shown(text: str, limit: int = 300) -> str:
    """Return text fit for one line as `plain` does, but leave what is `Raw` unredacted: for the fronts alone."""
    return _one_line(_visible(text), limit) if isinstance(text, Raw) else plain(text, limit)


def _one_line(visible: str, limit: int) -> str:
    line = " ".join(visible.split())
    return line if len(line) <= limit else shorten(line, limit)[0]


def _visible(text: str) -> str:
    # Whatever `_INVISIBLE` finds is not printable, and to ask that takes a tenth of the time.
    return text if text.isprintable() else _INVISIBLE.sub("", text)


def shown_word(word: str, among: Iterable[str], limit: int = 40) -> str:
    """Return a word as a person may see it: hidden where the words around it make it a secret's."""
    return plain(word, limit) if redact(word) in redact(" ".join(among)) else HIDDEN
