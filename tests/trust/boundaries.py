"""The moments between which a process can die and leave something behind: each statement, commit and effect.

Installed in a process that is to be killed, from the outside of our own code: on the engine's events and its dialect's
commit, and on the sockets of redis-py.
"""

import os
import signal
import threading
from collections.abc import Callable
from typing import Any, NoReturn

from redis.connection import AbstractConnection
from sqlalchemy import Engine, event


class Boundaries:
    """Counts the moments that pass, and ends this process with SIGKILL at the one that was chosen.

    `die_at` counts from 1; 0 lets all pass, so that their names can be read.
    """

    def __init__(self, die_at: int = 0) -> None:
        self.names: list[str] = []
        self._die_at = die_at
        self._lock = threading.Lock()

    def passed(self, name: str) -> None:
        """Come to a moment, and perhaps no further."""
        with self._lock:
            self.names.append(name)
            if len(self.names) == self._die_at:
                _die()

    def watch(self, engine: Engine) -> None:
        """Count the statements and commits of an engine, and everything that is sent to a Redis."""
        self._watch_statements(engine)
        self._watch_commits(engine)
        self._watch_redis()

    def _watch_statements(self, engine: Engine) -> None:
        def before(_c: Any, _cursor: Any, statement: str, *_: Any) -> None:
            self.passed(f"before {_short(statement)}")

        def after(_c: Any, _cursor: Any, statement: str, *_: Any) -> None:
            self.passed(f"after {_short(statement)}")

        event.listen(engine, "before_cursor_execute", before)
        event.listen(engine, "after_cursor_execute", after)

    def _watch_commits(self, engine: Engine) -> None:
        commit: Callable[[Any], None] = engine.dialect.do_commit

        def watched(connection: Any) -> None:
            self.passed("before a commit")
            commit(connection)
            self.passed("after a commit")

        setattr(engine.dialect, "do_commit", watched)  # noqa: B010 - mypy knows it as a method

    def _watch_redis(self) -> None:
        send: Callable[..., None] = AbstractConnection.send_packed_command
        read: Callable[..., Any] = AbstractConnection.read_response

        def sent(connection: Any, command: Any, *args: Any, **more: Any) -> None:
            self.passed("before an effect in Redis")
            send(connection, command, *args, **more)
            self.passed("after an effect in Redis was sent")

        def answered(connection: Any, *args: Any, **more: Any) -> Any:
            answer = read(connection, *args, **more)
            self.passed("after an effect in Redis was answered")
            return answer

        setattr(AbstractConnection, "send_packed_command", sent)  # noqa: B010 - as above
        setattr(AbstractConnection, "read_response", answered)  # noqa: B010


def _short(statement: str) -> str:
    words = statement.split()
    named = next((words[i + 1] for i, word in enumerate(words[:-1]) if word in _BEFORE_A_NAME), "")
    return f"{words[0]} {named}".strip()


_BEFORE_A_NAME = {"INTO", "UPDATE", "FROM"}


def _die() -> NoReturn:
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError("a process outlived its SIGKILL")
