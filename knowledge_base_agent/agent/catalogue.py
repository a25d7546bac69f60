"""Where the catalogue and the full-text index are kept, and their tables.

With SQLite they have a file of their own in the knowledge base's folder, so that the agent's tasks never wait for the
recorder, nor it for them: SQLite has one writer a file. With PostgreSQL they are tables of that database. All in them
can be built again from the sources, hence no migrations: they are made where they are missing.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import (
    Column,
    Computed,
    Connection,
    Engine,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    inspect,
    text,
)
from sqlalchemy.dialects.postgresql import TSVECTOR

from knowledge_base_agent.records.database import (
    UtcDateTime,
    database_url,
    open_engine,
    reading,
    writing,
)
from knowledge_base_agent.settings import Settings

_LOCK = 0x6B625F63  # any number, but the same in each process, and not the migrations' own
_LAST_MADE = "library_words"
_TABLES = MetaData()

DOCUMENTS = Table(
    "library_documents",
    _TABLES,
    Column("id", Integer, primary_key=True),
    Column("location", Text, nullable=False, unique=True),  # an absolute path or a URL
    Column("heading", Text, nullable=False),  # of the table of contents: a folder or a site
    Column("title", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("words", Integer, nullable=False),
    Column("page", Text, nullable=False),  # a file, from the knowledge base's folder
    Column("sha256", String(64), nullable=False),  # of the bytes as they came
    Column("etag", Text),
    Column("last_modified", Text),
    Column("fetched_at", UtcDateTime, nullable=False),
)

BUILDS = Table(
    "library_builds",
    _TABLES,
    Column("id", String(128), primary_key=True),  # the id of its `run_agent` task
    Column("source", Text, nullable=False),
    Column("phase", String(16), nullable=False),
    Column("planned", Integer),  # documents; None until they have been listed
    Column("started_at", UtcDateTime, nullable=False),
    Column("touched_at", UtcDateTime, nullable=False),  # when a document of it last began or ended
    Column("ended_at", UtcDateTime),
    # Of each source one build at most is under way, whoever asks at the same moment.
    Index(
        "uq_library_builds_source_under_way",
        "source",
        unique=True,
        sqlite_where=text("ended_at IS NULL"),
        postgresql_where=text("ended_at IS NULL"),
    ),
)

ITEMS = Table(
    "library_items",
    _TABLES,
    Column(
        "build_id",
        String(128),
        ForeignKey("library_builds.id", ondelete="CASCADE"),
        primary_key=True,
    ),
    Column("location", Text, primary_key=True),
    Column("heading", Text, nullable=False),
    Column("task_id", String(128), nullable=False),
    Column("state", String(16), nullable=False),
    Column("error", Text, nullable=False, server_default=""),
    Index("ix_library_items_location", "location"),
)

_SQLITE_WORDS = """CREATE VIRTUAL TABLE IF NOT EXISTS library_words USING fts5(title, body)"""
"""One row a document, its `rowid` the document's id: what `words_of` makes of title and body."""

_POSTGRES_WORDS = Table(
    "library_words",
    MetaData(),
    Column("rowid", Integer, primary_key=True, autoincrement=False),
    Column("title", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column(
        "vector",
        TSVECTOR,
        Computed(
            "setweight(to_tsvector('simple', title), 'A')"
            " || setweight(to_tsvector('simple', body), 'B')",
            persisted=True,
        ),
    ),
    Index("ix_library_words_vector", "vector", postgresql_using="gin"),
)


def open_catalogue(settings: Settings, *, deadline: float) -> Engine:
    """Return a new engine for the catalogue, with its tables made; the caller disposes of it.

    Raises `Away` when it can't be reached.
    """
    file = _index_file(settings)
    url = settings.database_url if file is None else f"sqlite:///{file}"
    engine = open_engine(url, deadline=deadline, create=file is not None)
    try:
        _make_tables(engine)
    except BaseException:
        engine.dispose()
        raise
    return engine


def index_file_number(settings: Settings) -> int | None:
    """Return what tells the index's file from another one of its name; None when there is none, and on PostgreSQL."""
    file = _index_file(settings)
    try:
        return None if file is None else file.stat().st_ino
    except FileNotFoundError:
        return None


def _index_file(settings: Settings) -> Path | None:
    if database_url(settings.database_url).get_backend_name() != "sqlite":
        return None
    return settings.knowledge_base_dir.resolve() / "index.sqlite3"


def _make_tables(engine: Engine) -> None:
    with reading(engine) as connection:  # nearly always they are there, and nobody has to wait
        if inspect(connection).has_table(_LAST_MADE):
            return
    with writing(engine) as connection:
        one_at_a_time(connection)
        _TABLES.create_all(connection)
        if connection.dialect.name == "postgresql":
            _POSTGRES_WORDS.create(connection, checkfirst=True)
        else:
            connection.exec_driver_sql(_SQLITE_WORDS)


def one_at_a_time(connection: Connection) -> None:
    """Wait until no other transaction is past this line; it ends with the transaction. On SQLite all writers do so."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})


@contextmanager
def ended_in_time(connection: Connection, seconds: float) -> Iterator[None]:
    """End what the block asks of SQLite after so many seconds; PostgreSQL does so itself, by its engine's deadline."""
    raw = connection.connection.driver_connection
    if connection.dialect.name == "postgresql" or raw is None:
        yield
        return
    end = time.monotonic() + seconds
    raw.set_progress_handler(lambda: int(time.monotonic() > end), 10_000)
    try:
        yield
    finally:
        raw.set_progress_handler(None, 0)
