"""The messages of tasks, kept so that a task can be sent again as it was: from the message, never from a repr.

A message is JSON or it is not kept: its name, arguments, limits, and what is to follow it. Arguments are kept as they
are, so whoever can read the database can read them; `KB_KEEP_MESSAGES=0` keeps none.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from kombu.utils.json import dumps
from sqlalchemy import Connection, select

from knowledge_base_agent.records.stream import Entry
from knowledge_base_agent.records.task_message_tables import TASK_MESSAGES
from knowledge_base_agent.records.upserts import among, upsert

MOST_CHARACTERS: Final = 64 * 1024
_FOLLOWERS: Final = ("callbacks", "errbacks", "chain")
_AT_ONCE: Final = 500


@dataclass(frozen=True, kw_only=True)
class KeptMessage:
    """What a task was sent with. Limits are in seconds; followers are signatures as plain data."""

    name: str
    args: Sequence[Any]
    kwargs: Mapping[str, Any]
    time_limit: float | None = None
    soft_time_limit: float | None = None
    ignore_result: bool = False
    callbacks: Sequence[Any] = ()
    errbacks: Sequence[Any] = ()
    chain: Sequence[Any] = ()
    in_chord: bool = False
    """A chord counted on it. A task that is sent again does not report to the chord: that has ended without it."""


def encoded(headers: Mapping[str, Any], body: Any) -> str | None:
    """Return a published message as it is kept; None for what is too large, not JSON, or not of protocol 2."""
    if not (isinstance(body, tuple) and len(body) == 3):
        return None
    args, kwargs, embedded = body
    limit, soft = headers.get("timelimit") or (None, None)
    kept = {
        "task": headers.get("task"),
        "args": args,
        "kwargs": kwargs,
        "limits": [limit, soft],
        "ignore_result": bool(headers.get("ignore_result")),
        "chord": embedded.get("chord") is not None,
        **{name: embedded.get(name) or [] for name in _FOLLOWERS},
    }
    try:
        said: str = dumps(kept)
    except (TypeError, ValueError):  # arguments that only another serializer can carry
        return None
    return said if len(said) <= MOST_CHARACTERS else None


def decoded(message: str) -> KeptMessage | None:
    """Return a kept message; None for what this version can't read.

    As plain JSON: a date stays the tagged form that travels in messages, and is sent on as it is.
    """
    try:
        said = json.loads(message)
    except ValueError:
        return None
    if not isinstance(said, dict) or not isinstance(said.get("task"), str):
        return None
    args, kwargs, limits = said.get("args"), said.get("kwargs"), said.get("limits")
    if not isinstance(args, list) or not isinstance(kwargs, dict) or not isinstance(limits, list):
        return None
    limit, soft = (*limits, None, None)[:2]
    return KeptMessage(
        name=said["task"],
        args=args,
        kwargs=kwargs,
        time_limit=limit,
        soft_time_limit=soft,
        ignore_result=said.get("ignore_result") is True,
        in_chord=said.get("chord") is True,
        **{name: said.get(name) or [] for name in _FOLLOWERS},
    )


def keep_messages(connection: Connection, entries: Iterable[Entry]) -> None:
    """Keep the messages that these entries bring; a later message of an id replaces the one before."""
    kept = {
        one.id: {"id": one.id, "queue": one.queue, "message": one.message}
        for one in sorted(entries, key=lambda entry: entry.at)
        if one.message is not None and len(one.message) <= MOST_CHARACTERS
    }
    if kept:
        rows = [kept[one] for one in sorted(kept)]
        connection.execute(upsert(connection, TASK_MESSAGES), rows)


def forget_messages(connection: Connection, ids: Sequence[str]) -> None:
    """Remove what was kept of these tasks."""
    connection.execute(TASK_MESSAGES.delete().where(among(connection, TASK_MESSAGES.c.id, ids)))


def kept_messages(connection: Connection, ids: Sequence[str]) -> dict[str, KeptMessage]:
    """Return what was kept of those of the tasks of which something was."""
    found: dict[str, KeptMessage] = {}
    table = TASK_MESSAGES.c
    for start in range(0, len(ids), _AT_ONCE):
        query = select(table.id, table.message).where(table.id.in_(ids[start : start + _AT_ONCE]))
        for task_id, message in connection.execute(query):
            read = decoded(message)
            if read is not None:
                found[task_id] = read
    return found
