"""The SQL database: one engine a process, every statement under a deadline, times always aware UTC.

SQLite runs in WAL mode with `BEGIN IMMEDIATE` for writers, so a writer waits for its turn at the start of its
transaction and never fails in the middle of it. PostgreSQL gets `connect_timeout`, `statement_timeout`,
`lock_timeout` and `idle_in_transaction_session_timeout` from the same figure; where it is silent and keeps none of
these, `postgresql.py` ends the wait a second later.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import (
    Connection,
    DateTime,
    Dialect,
    Engine,
    MetaData,
    TypeDecorator,
    create_engine,
    event,
)
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as NoConnectionFree

from knowledge_base_agent.problems import Away, MaybeWritten, Misconfigured
from knowledge_base_agent.records.database_file import watch_file
from knowledge_base_agent.records.silence import exhausted

METADATA = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)
"""The tables as the migrations make them. Of which rows a partial index is, the migrations alone say.

To say it here too would load PostgreSQL's dialect in every process on SQLite, each word of the shell's among them.
"""
DEADLINE_SECONDS = 2.0
_GRACE_SECONDS = 1.0
"""How much later than the server's own deadline the wait for a silent PostgreSQL ends: a word of its own says more."""
_IDLE_DEADLINES = 5
"""After so many deadlines PostgreSQL ends a transaction whose process stands still: it may hold what all wait for."""
_ANSWERS_THAT_ARE_NONE = frozenset({"42P01", "25006"})
"""SQLSTATEs: not migrated yet; a standby, or a server that was switched to read-only.

Asking for psycopg's classes would load the driver for those on SQLite too.
"""


class UtcDateTime(TypeDecorator[datetime]):
    """An aware UTC datetime; a naive one is refused, because "older than 24 h" must not depend on a time zone."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Store UTC; SQLite gets it without the zone, since it keeps none."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"a naive datetime was about to be stored: {value!r}")
        in_utc = value.astimezone(UTC)
        return in_utc.replace(tzinfo=None) if dialect.name == "sqlite" else in_utc

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return an aware UTC datetime, whatever the session's time zone is."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def database_url(text: str) -> URL:
    """Return the URL with the driver that we use. Raises `Misconfigured` for anything but SQLite and PostgreSQL."""
    try:
        url = make_url(text)
    except Exception as error:  # SQLAlchemy raises several kinds for a URL that it cannot read
        raise Misconfigured(
            "DATABASE_URL is not a database address.",
            "Write it as sqlite:///path/to/file.sqlite3 or postgresql://user:password@host/name.",
        ) from error
    backend = url.get_backend_name()
    if backend in {"postgresql", "postgres"}:
        return url.set(drivername="postgresql+psycopg")
    if backend == "sqlite":
        return url
    raise Misconfigured(
        f"DATABASE_URL names {backend}, which is not supported.", "Use SQLite or PostgreSQL."
    )


def open_engine(
    url_text: str, *, deadline: float = DEADLINE_SECONDS, create: bool = False
) -> Engine:
    """Return an engine whose every statement ends within about `deadline` seconds. Connects only when first used.

    With `create` a SQLite file that is missing is made; else it is `Away`, as one that goes or is replaced later.
    """
    url = database_url(url_text)
    if url.get_backend_name() == "sqlite":
        return _open_sqlite(url, deadline, create=create)
    milliseconds = int(deadline * 1000)
    idle = milliseconds * _IDLE_DEADLINES
    options = f"-c statement_timeout={milliseconds} -c lock_timeout={milliseconds} -c timezone=UTC"
    options += f" -c idle_in_transaction_session_timeout={idle}"
    engine = create_engine(
        url,
        connect_args={"connect_timeout": max(2, int(deadline)), "options": options},
        pool_size=8,
        max_overflow=4,
        pool_timeout=deadline,
        pool_pre_ping=True,
    )
    from knowledge_base_agent.records.postgresql import bound  # loads the driver

    bound(engine, deadline + _GRACE_SECONDS)
    return engine


def _open_sqlite(url: URL, deadline: float, *, create: bool) -> Engine:
    pool: dict[str, Any] = {}
    file = None
    if url.database and url.database != ":memory:":
        pool = {"pool_size": 8, "max_overflow": 32, "pool_timeout": deadline}
        file = None if url.database.startswith("file:") else Path(url.database)
    connect = {"timeout": deadline, "check_same_thread": False}
    engine = create_engine(url, connect_args=connect, **pool)
    if file is not None and create:
        file.parent.mkdir(parents=True, exist_ok=True)
    elif file is not None:
        watch_file(engine, file)
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    # The driver's own BEGIN comes too late (at the first write), when another writer may already have made our
    # snapshot stale, and then the busy timeout does not help. So transactions are begun by `_begin_sqlite`.
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=NORMAL")
    cursor.execute("PRAGMA foreign_keys=ON")
    # kB of each connection, and a bot keeps a dozen: the system keeps the file's pages in memory once for all of them.
    cursor.execute("PRAGMA cache_size=-500")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    reading = connection.get_execution_options().get("reading", False)
    connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")


@contextmanager
def reading(engine: Engine, *, apart: bool = False) -> Iterator[Connection]:
    """Open a connection for reads, which never waits for SQLite's writer.

    With `apart` PostgreSQL's statements are in no transaction, which takes a BEGIN and a ROLLBACK: where they need
    none, they read the same. Raises `Away` when the database does not answer.
    """
    options: dict[str, Any] = {"reading": True}
    if apart and engine.dialect.name == "postgresql":
        options["isolation_level"] = "AUTOCOMMIT"
    with _named(engine), engine.connect() as connection:
        yield connection.execution_options(**options)


@contextmanager
def reading_one_moment(engine: Engine) -> Iterator[Connection]:
    """Open a connection whose reads all see the rows as they were at the first one, for many short statements.

    None of them takes more than one of PostgreSQL's processors. Raises `Away` when the database does not answer.
    """
    options: dict[str, Any] = {"reading": True}
    if engine.dialect.name == "postgresql":  # SQLite's transactions are like that anyway
        options["isolation_level"] = "REPEATABLE READ"
    with _named(engine), engine.connect() as connection:
        connection.execution_options(**options)
        if engine.dialect.name == "postgresql":
            connection.exec_driver_sql("SET LOCAL max_parallel_workers_per_gather = 0")
        yield connection


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """Open a transaction that commits at the end of the block. Raises `Away` when the database can't be written.

    `MaybeWritten`, which is an `Away`, is raised where the answer to the COMMIT was lost: nobody knows then.
    """
    with _named(engine), engine.connect() as connection, connection.begin() as transaction:
        yield connection
        try:
            transaction.commit()
        except DBAPIError as error:
            if error.connection_invalidated:
                raise _maybe(engine, error) from error
            raise


@contextmanager
def _named(engine: Engine) -> Iterator[None]:
    if exhausted():
        raise _away(engine, TimeoutError("it was silent a moment ago"))
    try:
        yield
    except (OperationalError, NoConnectionFree) as error:
        raise _away(engine, error) from error
    except DBAPIError as error:
        state = getattr(error.orig, "sqlstate", None)
        if error.connection_invalidated or state in _ANSWERS_THAT_ARE_NONE:
            raise _away(engine, error) from error
        raise


def _maybe(engine: Engine, error: Exception) -> MaybeWritten:
    away = _away(engine, error)
    return MaybeWritten(
        f"{away.what} It is unknown whether it has written what it was given last.",
        away.cure,
        source=away.source,
    )


def _away(engine: Engine, error: Exception) -> Away:
    name = "PostgreSQL" if engine.dialect.name == "postgresql" else "SQLite"
    reason = str(getattr(error, "orig", None) or error).strip().splitlines()[0][:160]
    if (
        "no such table" in reason
        or "UndefinedTable" in type(getattr(error, "orig", error)).__name__
    ):
        return Away(
            f"The database ({name}) has no tables yet, or older ones.",
            "Run `python -m knowledge_base_agent.cli migrate` once.",
            source="the database",
        )
    cure = "Look at the database server"
    if "disk" in reason:
        cure = "Look at the disk that the database is on: it may be full"
    if "locked" in reason:
        cure = "Another process holds the database; try again in a few seconds"
    return Away(
        f"The database ({name}) does not answer: {reason}.", f"{cure}.", source="the database"
    )
