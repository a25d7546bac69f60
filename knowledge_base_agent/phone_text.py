"""Undo what phones and Slack do to text before it reaches us. Pure.

Phones turn `--` into a long dash and straight quotes into curly ones, capitalise the first letter and use spaces that
are none; Slack escapes `& < >` and wraps addresses as `<address|label>` (docs.slack.dev, "Formatting message text").
"""

import re
import shlex

_SPACES = re.compile(r"[\s\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]+")
_NOTHING = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\ufe0e\ufe0f]")
_HYPHENS = re.compile("[\u2010\u2011\u2212\ufe63\uff0d]")
_LONG_DASHES = "\u2012\u2013\u2014\u2015"
_LEADING = re.compile(rf"^[-{_LONG_DASHES}]*[{_LONG_DASHES}][-{_LONG_DASHES}]*")
_SINGLE_QUOTES = re.compile("[\u2018\u2019\u201a\u201b\u2032]")
_DOUBLE_QUOTES = re.compile("[\u201c\u201d\u201e\u201f\u2033\u00ab\u00bb]")
_LINK = re.compile(r"<((?:https?|mailto):[^|>\s]+)(?:\|[^>]*)?>")


def straighten(text: str) -> str:
    """Return the text as it was meant: straight quotes, plain spaces and hyphens, `--` where a long dash stands.

    Applied twice it changes nothing more.
    """
    # Again and again, since what is left may be an address in turn; each time the text gets shorter.
    while (bare := _LINK.sub(r"\1", text)) != text:
        text = bare
    for escaped, character in (("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&")):
        text = text.replace(escaped, character)
    text = _NOTHING.sub("", text)
    text = _SINGLE_QUOTES.sub("'", _DOUBLE_QUOTES.sub('"', _HYPHENS.sub("-", text)))
    return " ".join(_dashes(word) for word in _SPACES.split(text.strip()) if word)


def _dashes(word: str) -> str:
    rest = _LEADING.sub("", word)
    if rest != word and rest:
        word = ("-" if len(rest) == 1 else "--") + rest
    elif rest != word:
        word = "--"
    return re.sub(f"[{_LONG_DASHES}]", "-", word)


def words_of(text: str) -> list[str]:
    """Return the words of what a person typed, without a `/kb` that was typed or pasted after the command itself."""
    words = split(straighten(text))
    while words and words[0].lower() == "/kb":
        words = words[1:]
    return words


def open_quote(text: str) -> str:
    """Return a sentence for a text that opens a quote and does not close it, and nothing for any other."""
    try:
        shlex.split(straighten(text))
    except ValueError as error:
        return "A quote is open, so each word stands alone. " if "quotation" in str(error) else ""
    return ""


def split(text: str) -> list[str]:
    """Return the words of a straightened text, quoted ones as one; an open quote is taken as it stands."""
    try:
        return shlex.split(text)
    except ValueError:
        return text.split()
