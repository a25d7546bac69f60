"""What a person may give us to read, and which documents are in it."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice
from pathlib import Path
from urllib.parse import urlsplit

from knowledge_base_agent.agent import links
from knowledge_base_agent.agent.unreadable import Unreadable

MAX_BYTES = 20_000_000
"""A document or a list larger than this is not read: bytes, after any decompression."""
MAX_DOCUMENTS = 20_000
"""A source with more documents than this is refused."""
SUFFIXES = {
    ".md": "markdown",
    ".markdown": "markdown",
    ".html": "html",
    ".htm": "html",
    ".xhtml": "html",
    ".txt": "text",
    ".text": "text",
    ".rst": "text",
    ".pdf": "pdf",
}
"""What a file is, by the end of its name."""
_EXAMPLE = "Give a folder, a file (.md, .html, .txt, .pdf, a bookmarks export, a list of URLs), or one http(s) URL."


class Kind(StrEnum):
    """What a source is."""

    FOLDER = "folder"
    FILE = "file"
    LINKS = "links"
    """A bookmarks export, or a list of URLs."""
    URL = "url"


@dataclass(frozen=True, kw_only=True)
class Source:
    """A source: `name` is an absolute path or a URL, the same however it was spelt."""

    kind: Kind
    name: str


@dataclass(frozen=True, kw_only=True)
class Listed:
    """A document of a source: an absolute path or a URL, and the heading under which the table of contents has it."""

    location: str
    heading: str


def understand_source(text: str) -> Source:
    """Return what the words name, on this machine. Raises `Unreadable` that says what is wrong and what is allowed."""
    words = text.strip()
    if not words:
        raise Unreadable("No source was given.", _EXAMPLE)
    if "://" in words:
        if not links.is_web_address(words):
            raise Unreadable(f"{words} is not an http or https address.", _EXAMPLE)
        return Source(kind=Kind.URL, name=links.settled(words))
    path = _existing(words)
    if path.is_dir():
        return Source(kind=Kind.FOLDER, name=str(path))
    if not path.is_file():
        raise Unreadable(f"{path} is neither a folder nor a file.", _EXAMPLE)
    return Source(kind=_kind_of_file(path), name=str(path))


def _existing(words: str) -> Path:
    try:
        return Path(words).expanduser().resolve(strict=True)
    except (OSError, RuntimeError, ValueError) as error:
        raise Unreadable(
            f"There is no folder or file {words} on this machine, or it may not be read.", _EXAMPLE
        ) from error


def _kind_of_file(path: Path) -> Kind:
    suffix = path.suffix.lower()
    if suffix == ".urls":
        return Kind.LINKS
    if suffix not in SUFFIXES:
        raise Unreadable(f"{path.name} is not of a kind that can be read.", _EXAMPLE)
    if suffix in {".html", ".htm"} and links.is_bookmarks(_opening(path)):
        return Kind.LINKS
    if suffix == ".txt" and links.is_list(read_small(path)):
        return Kind.LINKS
    return Kind.FILE


def list_documents(source: Source) -> tuple[Listed, ...]:
    """Return the source's documents, sorted. Raises `Unreadable` when there is nothing to read, or far too much."""
    found = tuple(islice(_documents(source), MAX_DOCUMENTS + 1))
    if not found:
        raise Unreadable(f"There is nothing to read in {source.name}.", _EXAMPLE)
    if len(found) > MAX_DOCUMENTS:
        raise Unreadable(
            f"There are more than {MAX_DOCUMENTS} documents in {source.name}.",
            "Give its folders one by one.",
        )
    return tuple(sorted(found, key=lambda one: (one.heading, one.location)))


def _documents(source: Source) -> Iterator[Listed]:
    if source.kind is Kind.URL:
        yield _web(source.name)
    elif source.kind is Kind.LINKS:
        text = read_small(Path(source.name))
        read = links.read_bookmarks if links.is_bookmarks(text) else links.read_list
        yield from map(_web, read(text))
    elif source.kind is Kind.FILE:
        path = Path(source.name)
        yield Listed(location=source.name, heading=path.parent.name or "/")
    else:
        yield from _in_folder(Path(source.name))


def _web(url: str) -> Listed:
    return Listed(location=url, heading=urlsplit(url).netloc.rpartition("@")[2])


def _in_folder(root: Path) -> Iterator[Listed]:
    """Walk a folder: hidden names, links to folders, and links that lead out of it are passed over."""
    for folder, names, files in os.walk(root, followlinks=False):
        names[:] = sorted(name for name in names if not name.startswith("."))
        heading = "/".join((root.name or "/", *Path(folder).relative_to(root).parts))
        for name in sorted(files):
            path = Path(folder, name)
            if name.startswith(".") or path.suffix.lower() not in SUFFIXES:
                continue
            if path.is_file() and path.resolve().is_relative_to(root):
                yield Listed(location=str(path), heading=heading)


def read_small(path: Path) -> str:
    """Return the text of a list. Raises `Unreadable` when it is too large to be one, or may not be read."""
    try:
        if path.stat().st_size > MAX_BYTES:
            raise Unreadable(f"{path.name} is larger than {MAX_BYTES // 1_000_000} MB.", _EXAMPLE)
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise Unreadable(f"{path.name} may not be read: {error.strerror}.", _EXAMPLE) from error


def _opening(path: Path) -> str:
    with path.open("rb") as file:
        return file.read(1000).decode("utf-8", errors="replace")
