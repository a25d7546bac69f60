"""What is hidden and cut before text from outside reaches a log, a row, an audit entry or a person."""

import re

HIDDEN = "•••"
_MARK = "…"

_NAMES = (
    r"[\w.-]*(?:password|passwd|passphrase|secret|token|api[_-]?key|access[_-]?key|private[_-]?key"
    r"|authorization|credential|cookie|session[_-]?id|dsn)[\w.-]*"
)
_NAMED_VALUE = re.compile(
    rf"(?P<name>['\"]?\b{_NAMES}['\"]?\s*[:=]\s*)"
    r"(?P<value>'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"|(?:bearer\s+|basic\s+)?[^\s,;)\]}”’]*[^\s,;)\]}”’.])",
    re.IGNORECASE,
)
_URL_PASSWORD = re.compile(
    r"(?P<head>\b[a-z][a-z0-9+.-]*://[^\s:/@'\"]*:)[^\s/'\"]+(?=@)", re.IGNORECASE
)
_TOKENS = re.compile(
    r"xox[abeprs]-[\w-]{8,}|xapp-[\w-]{8,}"  # Slack
    r"|gh[pousr]_\w{20,}|github_pat_\w{20,}"  # GitHub
    r"|AKIA[0-9A-Z]{16}|sk-[\w-]{20,}|AIza[\w-]{30,}"  # cloud keys
    r"|eyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]{4,}"  # JSON web tokens
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)"
)
# Control characters, and the bidirectional overrides that make text read as what it is not.
_INVISIBLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff]"
)


class Raw(str):
    """Text that somebody with the role for it asked to see as it is: `shown` cleans and cuts it, and hides nothing.

    Whatever is made of it by formatting, slicing or joining is an ordinary `str` again, and is redacted as ever.
    """

    __slots__ = ()


def redact(text: str) -> str:
    """Return the text with known secrets hidden: named values, passwords in URLs, and tokens of known shapes."""
    text = _URL_PASSWORD.sub(rf"\g<head>{HIDDEN}", text)
    text = _TOKENS.sub(HIDDEN, text)
    return _NAMED_VALUE.sub(rf"\g<name>{HIDDEN}", text)


def shorten(text: str, limit: int) -> tuple[str, bool]:
    """Return the text cut to at most `limit` characters, and whether it was cut."""
    if len(text) <= limit:
        return text, False
    return text[: max(limit - len(_MARK), 0)] + _MARK, True


def plain(text: str, limit: int = 300) -> str:
    """Return text from outside fit for one line: redacted, no control or bidi characters, no line breaks, capped."""
    return _one_line(redact(text), limit)


def shown(text: str, limit: int = 300) -> str:
    """Return text fit for one line as `plain` does, but leave what is `Raw` unredacted: for the fronts alone."""
    return _one_line(text, limit) if isinstance(text, Raw) else plain(text, limit)


def _one_line(text: str, limit: int) -> str:
    visible = _INVISIBLE.sub("", text)
    return shorten(" ".join(visible.split()), limit)[0]
