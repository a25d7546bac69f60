"""The knowledge base's README: a table of contents, what could not be read and why, and what is still to come."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from sqlalchemy import Connection, select

from knowledge_base_agent.agent.build import RUNNING, WAITING
from knowledge_base_agent.agent.catalogue import DOCUMENTS, ITEMS, one_at_a_time
from knowledge_base_agent.agent.library import Library
from knowledge_base_agent.agent.links import is_web_address
from knowledge_base_agent.agent.pages import write_file
from knowledge_base_agent.agent.parsing import as_inline_markdown, as_markdown
from knowledge_base_agent.records.database import writing
from knowledge_base_agent.redaction import plain

NAME = "README.md"


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A document that has been read: its page, and the heading that it stands under."""

    heading: str
    title: str
    page: str
    words: int


@dataclass(frozen=True, kw_only=True)
class Missing:
    """A document that has not been read, or not its newest version: `error` is why; empty while it is awaited."""

    heading: str
    location: str
    error: str = ""
    earlier: bool = False
    """Whether an earlier version of it is in the knowledge base."""


@dataclass(frozen=True, kw_only=True)
class Shelf:
    """All that the README tells."""

    entries: Sequence[Entry]
    failed: Sequence[Missing]
    awaited: Sequence[Missing]


def render(shelf: Shelf) -> str:
    """Return the README. The same shelf gives the same text, in whatever order its parts are: no times in it."""
    words = sum(entry.words for entry in shelf.entries)
    lines = [
        "# Knowledge base",
        "",
        f"{_count(len(shelf.entries), 'document')}, {_count(words, 'word')}.",
    ]
    ordered = sorted(shelf.entries, key=lambda e: (e.heading, e.title.casefold(), e.page))
    for heading, group in groupby(ordered, key=lambda entry: entry.heading):
        entries = list(group)
        lines += ["", f"## {as_inline_markdown(plain(heading))} ({len(entries)})", ""]
        lines += [
            f"- [{as_inline_markdown(plain(e.title))}]({e.page}) — {_count(e.words, 'word')}"
            for e in entries
        ]
    lines += _missing(f"Could not be read ({len(shelf.failed)})", shelf.failed)
    lines += _missing(f"Still to come ({len(shelf.awaited)})", shelf.awaited)
    return "\n".join([*lines, ""])


def _missing(title: str, items: Sequence[Missing]) -> list[str]:
    if not items:
        return []
    ordered = sorted(items, key=lambda item: (item.heading, item.location))
    return ["", f"## {title}", "", *map(_missing_line, ordered)]


def _missing_line(item: Missing) -> str:
    line = f"- {_shown(_place(item))}"
    if item.error:
        line += f": {_shown(item.error)}"
    return line + (" (an earlier version is kept)" if item.earlier else "")


def _place(item: Missing) -> str:
    # A path is told from its source's folder on: where that folder lies is this machine's matter.
    if is_web_address(item.location):
        return item.location
    return f"{item.heading}/{Path(item.location).name}"


def _shown(text: str) -> str:
    return as_markdown(plain(text))


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def write_readme(library: Library) -> bool:
    """Write the README of what is known now; return False, touching nothing, when it says so already.

    Reading and writing are one step: of two tasks that do so at once, the later one knows more.
    """
    with writing(library.engine) as connection:
        one_at_a_time(connection)
        return write_file(library.folder / NAME, render(_read_shelf(connection)))


def _read_shelf(connection: Connection) -> Shelf:
    d = DOCUMENTS.c
    entries = connection.execute(select(d.heading, d.title, d.page, d.words)).mappings()
    missing = _read_missing(connection)
    return Shelf(
        entries=[Entry(**row) for row in entries],
        failed=[item for item in missing if item.error],
        awaited=[item for item in missing if not item.error],
    )


def _read_missing(connection: Connection) -> list[Missing]:
    # What is being read again stands as it did, so that a run that changes nothing never touches the README.
    i = ITEMS.c
    awaited = i.state.in_((WAITING, RUNNING)) & DOCUMENTS.c.id.is_(None)
    asked = (
        select(i.heading, i.location, i.error, DOCUMENTS.c.id.is_not(None).label("earlier"))
        .select_from(ITEMS.outerjoin(DOCUMENTS, DOCUMENTS.c.location == i.location))
        .where((i.error != "") | awaited)
        .distinct()
    )
    return [Missing(**row) for row in connection.execute(asked).mappings()]
