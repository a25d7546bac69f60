"""Reading lists of addresses: plain lists, one a line, and the bookmarks that browsers export as HTML."""

from collections.abc import Iterable
from html.parser import HTMLParser
from urllib.parse import urlsplit, urlunsplit

BOOKMARKS_MARK = "netscape-bookmark-file"


def is_web_address(text: str) -> bool:
    """Tell whether the text is an http or https URL with a host."""
    if not text or any(character.isspace() or not character.isprintable() for character in text):
        return False
    try:
        parts = urlsplit(text)
        return parts.scheme.lower() in {"http", "https"} and bool(parts.hostname)
    except ValueError:
        return False


def settled(url: str) -> str:
    """Return the URL in the one spelling under which we keep it: host in lower case, a path, no fragment."""
    parts = urlsplit(url)
    return urlunsplit(
        (parts.scheme.lower(), _lower_host(parts.netloc), parts.path or "/", parts.query, "")
    )


def _lower_host(place: str) -> str:
    login, at, host = place.rpartition("@")
    return f"{login}{at}{host.lower()}"


def is_list(text: str) -> bool:
    """Tell whether a text is nothing but web addresses, one a line; blank lines and lines from `#` on are allowed."""
    lines = _meaningful(text)
    return bool(lines) and all(is_web_address(line) for line in lines)


def read_list(text: str) -> tuple[str, ...]:
    """Return the addresses of a plain list, in order, each once; lines that are no web address are left out."""
    return _unique(line for line in _meaningful(text))


def is_bookmarks(text: str) -> bool:
    """Tell whether a text opens as a browser's bookmarks export does."""
    return BOOKMARKS_MARK in text[:1000].lower()


def read_bookmarks(text: str) -> tuple[str, ...]:
    """Return the addresses of a bookmarks export, in order, each once; `javascript:`, `file:` and such are left out."""
    reader = _Bookmarks()
    reader.feed(text)
    reader.close()
    return _unique(reader.addresses)


class _Bookmarks(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.addresses: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        address = dict(attrs).get("href")
        if tag == "a" and address:
            self.addresses.append(address.strip())


def _meaningful(text: str) -> list[str]:
    lines = (line.strip() for line in text.removeprefix("\ufeff").splitlines())
    return [line for line in lines if line and not line.startswith("#")]


def _unique(addresses: Iterable[str]) -> tuple[str, ...]:
    return tuple(
        dict.fromkeys(settled(address) for address in addresses if is_web_address(address))
    )
