"""Undo what phones and Slack do to text before it reaches us. Pure.

Phones turn `--` into a long dash and straight quotes into curly ones, capitalise the first letter and use spaces that
are none; Slack escapes `& < >` and wraps addresses as `<address|label>` (docs.slack.dev, "Formatting message text").
"""

import re
import shlex
from io import StringIO

_SPACES = re.compile(r"[\s\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]+")
_NOTHING = re.compile(
    "[\ud800-\udfff\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\ufe0e\ufe0f]"
)
_HYPHENS = re.compile("[\u2010\u2011\u2212\ufe63\uff0d]")
_LONG_DASHES = "\u2012\u2013\u2014\u2015"
_LEADING = re.compile(rf"^[-{_LONG_DASHES}]*[{_LONG_DASHES}][-{_LONG_DASHES}]*")
_SINGLE_QUOTES = re.compile("[\u2018\u2019\u201a\u201b\u2032]")
_DOUBLE_QUOTES = re.compile("[\u201c\u201d\u201e\u201f\u2033\u00ab\u00bb]")
_STATED = re.compile(
    rf"(?:^|(?<=\s))[-{_LONG_DASHES}]+(reason|break[-\u2010\u2011]glass)(=|\s+)(?=\S)",
    re.IGNORECASE,
)
"""A flag whose value is a sentence of a person's, which is kept as they wrote it."""
_CURLY = re.compile("[\u2018-\u201f\u00ab\u00bb]")
_CLOSING = re.compile("[\u2018-\u201f\u00ab\u00bb'\"](?=\\s|$)")
_LINK = re.compile(r"<((?:https?|mailto):[^|>\s]+)(?:\|[^>]*)?>")


def straighten(text: str) -> str:
    """Return the text as it was meant: straight quotes, plain spaces and hyphens, `--` where a long dash stands.

    Applied twice it changes nothing more, unless it was escaped twice (`&amp;lt;`), as Slack never does.
    """
    text = _unescaped(text)
    text = _SINGLE_QUOTES.sub("'", _DOUBLE_QUOTES.sub('"', _HYPHENS.sub("-", text)))
    return " ".join(_dashes(word) for word in _SPACES.split(text.strip()) if word)


def _unescaped(text: str) -> str:
    """Undo what Slack does to the text itself, and leave out what nobody can see.

    The invisible goes first: in the middle of an address or of `&lt;` it would hide what these are.
    """
    text = _NOTHING.sub("", text)
    # Again and again, since what is left may be an address in turn; each time the text gets shorter.
    while (bare := _LINK.sub(r"\1", text)) != text:
        text = bare
    for escaped, character in (("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&")):
        text = text.replace(escaped, character)
    return text


def _dashes(word: str) -> str:
    rest = _LEADING.sub("", word)
    if rest != word and rest:
        word = ("-" if len(rest) == 1 else "--") + rest
    elif rest != word:
        word = "--"
    return re.sub(f"[{_LONG_DASHES}]", "-", word)


def words_of(text: str) -> list[str]:
    """Return the words of what a person typed, without a `/kb` that was typed or pasted after the command itself."""
    words = _words(text)
    while words and words[0].lower() == "/kb":
        words = words[1:]
    return words


def _words(text: str) -> list[str]:
    found = _STATED.search(text)
    before = straighten(text[: found.start()]) if found else ""
    taken = _first(text[found.end() :]) if found and not _is_open(before) else None
    if found is None or taken is None:
        return split(straighten(text))
    value, rest = taken
    name = found[1].lower().replace("\u2010", "-").replace("\u2011", "-")
    flag = [f"--{name}={value}"] if found[2] == "=" else [f"--{name}", value]
    return [*split(before), *flag, *_words(rest)]


def _first(text: str) -> tuple[str, str] | None:
    """Return a reason without its enclosing quotes, and what follows it; None where none stands there."""
    if _CURLY.match(text):
        end = _CLOSING.search(text, 1)
        return (_unescaped(text[1 : end.start()]), text[end.end() :]) if end else None
    stream = StringIO(text)
    reader = shlex.shlex(stream, posix=True, punctuation_chars=False)
    reader.whitespace_split, reader.commenters = True, ""
    try:
        word = reader.get_token() or ""
    except ValueError:  # an open quote: each word stands alone
        return None
    return None if word[:1] in {"-", *_LONG_DASHES} else (_unescaped(word), stream.read())


def visible(text: str) -> str:
    """Return a text without the characters that nobody can see, such as those that turn the reading direction."""
    return _NOTHING.sub("", text)


def _is_open(straightened: str) -> bool:
    """Tell whether a quote is open at the end of a text, so that what follows belongs to it."""
    try:
        shlex.split(straightened)
    except ValueError:
        return True
    return False


def open_quote(text: str) -> str:
    """Return a sentence for a text that opens a quote and does not close it, and nothing for any other."""
    pieces: list[str] = []
    while (found := _STATED.search(text)) and (taken := _first(text[found.end() :])):
        pieces.append(text[: found.start()])
        text = taken[1]
    try:
        shlex.split(straighten(" ".join([*pieces, text])))
    except ValueError as error:
        return "A quote is open, so each word stands alone. " if "quotation" in str(error) else ""
    return ""


def split(text: str) -> list[str]:
    """Return the words of a straightened text, quoted ones as one; an open quote is taken as it stands."""
    try:
        return shlex.split(text)
    except ValueError:
        return text.split()
