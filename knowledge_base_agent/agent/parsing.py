"""From a document's bytes to its title, its plain text and its Markdown."""

import io
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise

from charset_normalizer import from_bytes
from markdown_it import MarkdownIt
from markdown_it.token import Token
from pypdf import PdfReader
from trafilatura import extract, html2txt, load_html
from trafilatura.metadata import extract_metadata

from knowledge_base_agent.agent.unreadable import Unreadable

_TITLE_LIMIT = 200
# What no text has: control characters (PostgreSQL refuses NUL), and halves of surrogate pairs.
_NOT_TEXT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
_FRONT_MATTER = re.compile(r"\A---[ \t]*\n.*?\n(?:---|\.\.\.)[ \t]*(?:\n|\Z)", re.DOTALL)
_MARKDOWN_SIGNS = re.compile(r"([\\`*_{}\[\]<>#|~&$!])")
_MARKDOWN_LINE_START = re.compile(r"^[ \t]*(?:([-+=])|(\d{1,9})([.)]))", re.MULTILINE)
_MARKDOWN = MarkdownIt("commonmark")


@dataclass(frozen=True, kw_only=True)
class Parsed:
    """What a document says. `title` is one line and may be empty; `words` counts what stands between spaces."""

    title: str
    text: str
    markdown: str

    @property
    def words(self) -> int:
        """How many words the text has."""
        return len(self.text.split())


def parse(kind: str, data: bytes) -> Parsed:
    """Return what the bytes say. `kind` is one of "markdown", "html", "text", "pdf".

    Raises `Unreadable` when there is no text in them, and pypdf's own errors for a broken PDF.
    """
    title, text, markdown = _PARSERS[kind](data)
    text = _NOT_TEXT.sub("", text).strip()
    if not text:
        raise Unreadable("There is no text in it.", "If it is a scan, recognise its text first.")
    return Parsed(
        title=" ".join(_NOT_TEXT.sub("", title).split())[:_TITLE_LIMIT],
        text=text,
        markdown=_NOT_TEXT.sub("", markdown).strip(),
    )


def decoded(data: bytes) -> str:
    """Return the bytes as text: UTF-8 if they are, else the likeliest encoding. Raises `Unreadable` for no text."""
    try:
        return _clean(data.decode("utf-8-sig"))
    except UnicodeDecodeError:
        best = from_bytes(data).best()
    if best is None:
        raise Unreadable("Its bytes are no text in any known encoding.", "Save it as UTF-8.")
    return _clean(str(best))


def _clean(text: str) -> str:
    return _NOT_TEXT.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))


def as_markdown(text: str) -> str:
    """Return plain text as Markdown that shows the same characters and nothing else."""
    return _MARKDOWN_LINE_START.sub(_escaped_start, as_inline_markdown(text))


def as_inline_markdown(text: str) -> str:
    """Return plain text for the inside of a line of Markdown: a heading, a link's text."""
    return _MARKDOWN_SIGNS.sub(r"\\\1", text)


def _escaped_start(match: re.Match[str]) -> str:
    sign, number, dot = match.groups()
    return f"\\{sign}" if sign else f"{number}\\{dot}"


def _parse_text(data: bytes) -> tuple[str, str, str]:
    text = decoded(data)
    first = next((line for line in text.splitlines() if line.strip()), "")
    # Lines may be poetry, tables or logs: leading spaces go, but each line stays a line.
    lines = (line.strip() for line in as_markdown(text).splitlines())
    return first, text, "\n".join(f"{line}  " if line else "" for line in lines)


def _parse_markdown(data: bytes) -> tuple[str, str, str]:
    markdown = _FRONT_MATTER.sub("", decoded(data))
    tokens = _MARKDOWN.parse(markdown)
    headings = (following for token, following in pairwise(tokens) if token.type == "heading_open")
    title = next(headings, None)
    text = "\n".join(part for token in tokens for part in _texts(token))
    return _inline_text(title) if title else "", text, markdown


def _texts(token: Token) -> Iterator[str]:
    if token.type == "inline":
        yield _inline_text(token)
    elif token.type in {"fence", "code_block"}:
        yield token.content.rstrip()


def _inline_text(token: Token) -> str:
    return "".join(
        "\n" if child.type in {"softbreak", "hardbreak"} else child.content
        for child in token.children or []
        if child.type != "html_inline"
    )


def _parse_html(data: bytes) -> tuple[str, str, str]:
    tree = load_html(data)
    if tree is None:
        raise Unreadable("It is no HTML.")
    title = extract_metadata(tree).title or ""
    markdown = extract(data, output_format="markdown", include_comments=False)
    if (
        markdown is None
    ):  # too little of it for the extractor to tell the text from its surroundings
        text = html2txt(data)
        return title, text, as_markdown(text)
    return title, _plain(markdown), markdown


def _plain(markdown: str) -> str:
    return "\n".join(part for token in _MARKDOWN.parse(markdown) for part in _texts(token))


def _parse_pdf(data: bytes) -> tuple[str, str, str]:
    reader = PdfReader(io.BytesIO(data))
    pages = [_NOT_TEXT.sub("", page.extract_text()).strip() for page in reader.pages]
    about = reader.metadata
    title = str(about.title or "") if about else ""
    if not title and len(pages) > 0:
        title = pages[0].split("\n", 1)[0]
    markdown = "\n\n".join(
        f"## Page {number}\n\n{as_markdown(page)}" for number, page in enumerate(pages, 1) if page
    )
    return title, "\n\n".join(pages), markdown


_PARSERS: dict[str, Callable[[bytes], tuple[str, str, str]]] = {
    "html": _parse_html,
    "markdown": _parse_markdown,
    "pdf": _parse_pdf,
    "text": _parse_text,
}
