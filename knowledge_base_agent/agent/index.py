"""The full-text index: what has been read, found again by its words."""

import re
import unicodedata
import weakref
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import (
    Engine,
    RowMapping,
    delete,
    insert,
    select,
    text,
    update,
)

from knowledge_base_agent.agent.catalogue import (
    DOCUMENTS,
    ITEMS,
    ended_in_time,
    one_at_a_time,
    open_catalogue,
)
from knowledge_base_agent.agent.fetching import Validators
from knowledge_base_agent.problems import Misunderstood
from knowledge_base_agent.records.database import reading, writing
from knowledge_base_agent.settings import Settings

SEARCH_SECONDS = 2.0
_INDEXED_BYTES = 500_000
"""Words beyond this much text are not indexed: PostgreSQL refuses a vector over 1 MB."""
_MAX_WORDS = 16
_MAX_LETTERS = 64
_PREFIX_FROM = 3
_AROUND = 90
"""Characters of a snippet before the first word found, and after it."""
_WORD = re.compile(r"[^\W_]+")

_SEARCH = {
    "sqlite": text(
        "SELECT d.title, d.location, d.page, d.body, -bm25(library_words, 5.0, 1.0) AS score"
        " FROM library_words JOIN library_documents d ON d.id = library_words.rowid"
        " WHERE library_words MATCH :asked ORDER BY score DESC, d.location LIMIT :limit"
    ),
    "postgresql": text(
        "SELECT d.title, d.location, d.page, d.body, ts_rank_cd(w.vector, q) AS score"
        " FROM library_words w JOIN library_documents d ON d.id = w.rowid,"
        " to_tsquery('simple', :asked) q"
        " WHERE w.vector @@ q ORDER BY score DESC, d.location LIMIT :limit"
    ),
}
_UNUSED_WORDS = text(
    "DELETE FROM library_words WHERE rowid NOT IN (SELECT id FROM library_documents)"
)


@dataclass(frozen=True, kw_only=True)
class Document:
    """A document as it is kept. `page` is a file, from the knowledge base's folder; `fetched_at` is aware UTC."""

    location: str
    heading: str
    title: str
    body: str
    words: int
    page: str
    sha256: str
    validators: Validators
    fetched_at: datetime


@dataclass(frozen=True, kw_only=True)
class Hit:
    """A document that has all the words. `location` is a path or URL; `snippet` is one line of plain text.

    Scores compare hits of one answer alone; more is better.
    """

    title: str
    location: str
    page: str
    snippet: str
    score: float


def words_of(words: str) -> list[str]:
    """Return the words as the index knows them, whatever the database: letters and digits, no case, no accents.

    Text without spaces between words, such as Chinese, is one long word: only its beginning can be found.
    """
    decomposed = unicodedata.normalize("NFKD", words.casefold())
    bare = "".join(letter for letter in decomposed if not unicodedata.combining(letter))
    return _WORD.findall(bare)


class Index:
    """The index of one deployment. Every call ends within its deadline, or raises `Away`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def find(self, location: str) -> Document | None:
        """Return the document that is kept of a path or URL."""
        asked = select(DOCUMENTS).where(DOCUMENTS.c.location == location)
        with reading(self._engine) as connection:
            row = connection.execute(asked).mappings().first()
        return _document(row) if row is not None else None

    def put(self, document: Document) -> None:
        """Keep the document, in place of what was kept of its location."""
        known = {name: getattr(document, name) for name in _OWN_COLUMNS}
        known |= {
            "etag": document.validators.etag,
            "last_modified": document.validators.last_modified,
        }
        words = {
            "title": " ".join(words_of(document.title)),
            "body": " ".join(words_of(_indexed(document.body))),
        }
        with writing(self._engine) as connection:
            one_at_a_time(connection)
            of_it = DOCUMENTS.c.location == document.location
            row = connection.scalar(select(DOCUMENTS.c.id).where(of_it))
            if row is None:
                added = insert(DOCUMENTS).values(known).returning(DOCUMENTS.c.id)
                row = connection.scalar(added)
            else:
                connection.execute(update(DOCUMENTS).where(of_it).values(known))
            connection.execute(text("DELETE FROM library_words WHERE rowid = :id"), {"id": row})
            connection.execute(
                text("INSERT INTO library_words (rowid, title, body) VALUES (:id, :title, :body)"),
                {"id": row, **words},
            )

    def forget_unlisted(self) -> tuple[str, ...]:
        """Drop each document that no source lists any more; return the pages that they had."""
        unlisted = DOCUMENTS.c.location.not_in(select(ITEMS.c.location))
        with writing(self._engine) as connection:
            one_at_a_time(connection)
            gone = delete(DOCUMENTS).where(unlisted).returning(DOCUMENTS.c.page)
            pages = connection.scalars(gone).all()
            if pages:
                connection.execute(_UNUSED_WORDS)
        return tuple(pages)

    def search(self, words: str, limit: int = 10) -> tuple[Hit, ...]:
        """Return the best documents that have all the words, or words that begin so (from three letters on).

        Nothing in `words` is syntax. Raises `Misunderstood` when there is no word in it.
        """
        wanted = [word[:_MAX_LETTERS] for word in words_of(words)[:_MAX_WORDS]]
        if not wanted:
            raise Misunderstood("There is no word to search for.", "Try: search worker timeout")
        kind = self._engine.dialect.name
        asked = {"asked": _query(kind, wanted), "limit": limit}
        with reading(self._engine) as connection, ended_in_time(connection, SEARCH_SECONDS):
            rows = connection.execute(_SEARCH[kind], asked).all()
        return tuple(
            Hit(
                title=row.title,
                location=row.location,
                page=row.page,
                snippet=snippet(row.body, wanted),
                score=round(float(row.score), 6),
            )
            for row in rows
        )


def open_index(settings: Settings, *, deadline: float = SEARCH_SECONDS) -> Index:
    """Return the deployment's index for a search or two; its connections are closed when it is let go of."""
    engine = open_catalogue(settings, deadline=deadline)
    index = Index(engine)
    weakref.finalize(index, engine.dispose)
    return index


def snippet(body: str, wanted: list[str]) -> str:
    """Return the surroundings of the first word found, as one line of the document's own text, cut at words."""
    start = 0
    for match in _WORD.finditer(body):
        found = words_of(match.group())
        if found and any(found[0].startswith(word) for word in wanted):
            start = match.start()
            break
    first, last = max(0, start - _AROUND), min(len(body), start + _AROUND)
    shown = body[first:last]
    if first > 0:
        shown = "… " + shown.partition(" ")[2].lstrip()
    if last < len(body):
        shown = shown.rpartition(" ")[0].rstrip() + " …"
    return " ".join(shown.split())


_OWN_COLUMNS = (
    "location", "heading", "title", "body", "words", "page", "sha256", "fetched_at",
)  # fmt: skip


def _document(row: RowMapping) -> Document:
    return Document(
        **{name: row[name] for name in _OWN_COLUMNS},
        validators=Validators(etag=row["etag"], last_modified=row["last_modified"]),
    )


def _indexed(body: str) -> str:
    return body.encode("utf-8", "ignore")[:_INDEXED_BYTES].decode("utf-8", "ignore")


def _query(kind: str, wanted: list[str]) -> str:
    # The words are letters and digits alone by now; the quotes keep AND, OR, NOT and NEAR from being syntax.
    if kind == "postgresql":
        return " & ".join(f"'{word}'{':*' if len(word) >= _PREFIX_FROM else ''}" for word in wanted)
    return " ".join(f'"{word}"{"*" if len(word) >= _PREFIX_FROM else ""}' for word in wanted)
