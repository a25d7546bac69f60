"""What tasks logged: one Redis list a task, `logs:<task id>`, of JSON lines, the oldest first."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import msgspec
from redis import Redis, RedisError

from knowledge_base_agent.problems import Away
from knowledge_base_agent.records.task_ids import checked

PREFIX: Final = "logs:"
KEPT_LINES: Final = 1_000


class _Line(msgspec.Struct, frozen=True):
    time: float  # seconds since the epoch, UTC
    level: str
    text: str


@dataclass(frozen=True, kw_only=True)
class LogLine:
    """One line that a task logged. `at` is aware UTC by the worker's clock; None when the line could not be read."""

    at: datetime | None
    level: str
    text: str


def logs_key(task_id: str) -> str:
    """Return the key of a task's list. Raises `Misunderstood` for what cannot be a task's id."""
    return PREFIX + checked(task_id)


def encode_line(*, time: float, level: str, text: str) -> bytes:
    """Return one line as it is stored; `time` is in seconds since the epoch, UTC."""
    return msgspec.json.encode(_Line(time=time, level=level, text=text))


def read_logs(client: Redis, task_id: str, *, last: int = 50) -> list[LogLine]:
    """Return the last lines that the task logged, the oldest first.

    The client's socket timeout is the deadline. Raises `Away` when Redis does not answer.
    """
    key = logs_key(task_id)
    try:
        lines = client.lrange(key, -max(1, min(last, KEPT_LINES)), -1)
    except RedisError as error:
        raise Away(
            f"The logs of tasks cannot be read: Redis does not answer ({error}).",
            "Look at the Redis that REDIS_LOGS_URL names.",
            source="the log store",
        ) from error
    return [_read(line) for line in lines]


def _read(raw: bytes | str) -> LogLine:
    try:
        line = msgspec.json.decode(raw, type=_Line)
        return LogLine(at=datetime.fromtimestamp(line.time, UTC), level=line.level, text=line.text)
    except (
        msgspec.MsgspecError,
        RecursionError,
        ValueError,
        OverflowError,
    ):  # another program's list: show it as it is
        return LogLine(at=None, level="", text=_text(raw))


def _text(raw: bytes | str) -> str:
    return raw if isinstance(raw, str) else raw.decode(errors="replace")
