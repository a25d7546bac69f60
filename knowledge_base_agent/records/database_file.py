"""The file of a SQLite database: opened only where it is, and let go of once its path leads elsewhere.

A connection goes on with a file that was moved away, removed or replaced: it changes what nobody reads any more. And
SQLite makes a missing file anew, empty, and removes a `-wal` beside it that belongs to the one that comes back. So
nothing but `migrate` makes a file here, and each loan of a connection looks whether its file is still the one of the
path: one `stat`, a few microseconds.
"""

import os
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, event

from knowledge_base_agent.problems import Away

_SOURCE = "the database"
_CURE = "Stop the bot, put it back, start it again."
_MIGRATE = "Run `python -m knowledge_base_agent.cli migrate` once, or look at DATABASE_URL."


def watch_file(engine: Engine, path: Path) -> None:
    """Have an engine open this file only where it is, and raise `Away` when it is gone or another one took its place.

    Which file it is, the first connection says; an engine that has connected never follows to another file.
    """
    file = _DatabaseFile(path)
    event.listen(engine, "do_connect", file.open)
    event.listen(engine, "checkout", file.lend)


class _DatabaseFile:
    def __init__(self, path: Path) -> None:
        self._path = path.absolute()
        self._address = f"{self._path.as_uri()}?mode=rw"
        self._known: tuple[int, int] | None = None

    def open(self, dialect: Any, _record: Any, _arguments: Any, options: dict[str, Any]) -> Any:
        """Connect without making the file. Raises `Away` when it isn't there."""
        found = self._found()
        if self._known is None and found is None:
            raise Away(f"There is no database at {self._path}.", _MIGRATE, source=_SOURCE)
        if self._known is not None and found != self._known:
            raise self._gone()
        connection = dialect.connect(self._address, **{**options, "uri": True})
        self._known = found
        return connection

    def lend(self, _connection: Any, record: Any, _proxy: Any) -> None:
        """Raise `Away`, and give the connection up, when the path no longer leads to what was opened."""
        if self._found() != self._known:
            record.invalidate()
            raise self._gone()

    def _found(self) -> tuple[int, int] | None:
        """Return what tells a file from another one of its name; None for none, and for one that is empty."""
        try:
            stat = os.stat(self._path)  # noqa: PTH116 - Path.stat takes twice the time
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            what = f"The database file {self._path} can't be looked at: {error.strerror}."
            raise Away(what, "Look at its folder and its rights.", source=_SOURCE) from error
        return (stat.st_dev, stat.st_ino) if stat.st_size else None

    def _gone(self) -> Away:
        what = f"The database file {self._path} is gone or was replaced."
        return Away(f"{what} {_CURE}", "Nothing is read or changed meanwhile.", source=_SOURCE)
