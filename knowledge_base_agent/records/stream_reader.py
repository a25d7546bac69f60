"""Reading the history stream: batches after a position, and what is missing between them."""

import dataclasses
from typing import Any, Final, cast

from redis import Redis, ResponseError

from knowledge_base_agent.records.stream import FIELD, HISTORY_KEY

BEGINNING: Final = "0-0"
UNKNOWN: Final = -1


@dataclasses.dataclass(frozen=True, kw_only=True)
class Position:
    """Where the recorder is: the last entry that is in the rows, and which of all ever added that one is.

    The number is `UNKNOWN` after the stream was replaced, until its end was reached once.
    """

    last_id: str = BEGINNING
    number: int = 0


@dataclasses.dataclass(frozen=True, kw_only=True)
class Batch:
    """Entries after a position, and where that leads to.

    `lost` is how many were trimmed before they were read; `replaced` says that the stream is not the one we knew.
    """

    payloads: list[bytes]
    after: Position
    lag: int
    lost: int = 0
    replaced: bool = False


def read_batch(client: Redis, position: Position, *, count: int) -> Batch:
    """Return up to `count` entries after the position, with what XINFO said in the same moment.

    Raises redis-py's errors.
    """
    # One MULTI: between two commands the stream could be trimmed, and the gap be miscounted.
    pipeline = client.pipeline(transaction=True)
    pipeline.xrange(HISTORY_KEY, min=f"({position.last_id}", count=count)
    pipeline.xinfo_stream(HISTORY_KEY)
    found, info = pipeline.execute(raise_on_error=False)
    if isinstance(info, ResponseError) and "no such key" in str(info):
        return Batch(payloads=[], after=position, lag=0)
    for answer in (found, info):
        if isinstance(answer, Exception):
            raise answer
    return _judge(found, cast(dict[str, Any], info), position, count)


def _judge(
    found: list[tuple[bytes, dict[bytes, bytes]]],
    info: dict[str, Any],
    position: Position,
    count: int,
) -> Batch:
    # A Redis before 7.0 does not count what was added: entries are read all the same, but gaps go unnoticed.
    added, length = int(info.get("entries-added", UNKNOWN)), int(info["length"])
    generated = _order(_text(info["last-generated-id"]))
    if generated < _order(position.last_id):
        # Younger than what we read: another stream. Read it from its start; entries that we know change nothing.
        return Batch(payloads=[], after=Position(number=UNKNOWN), lag=length, replaced=True)
    number = position.number if added != UNKNOWN else UNKNOWN
    lost = max(0, added - length - number) if number != UNKNOWN else 0
    drained = len(found) < count
    reached = added if number == UNKNOWN and drained else number
    if number != UNKNOWN:
        reached = number + lost + len(found)
    # All that was added is read, and yet the figures differ: the stream was deleted and began anew.
    replaced = number != UNKNOWN and (reached != added if drained else reached > added)
    return Batch(
        payloads=[fields.get(FIELD, b"") for _, fields in found],
        after=Position(
            last_id=_text(found[-1][0]) if found else position.last_id,
            number=added if replaced and drained else UNKNOWN if replaced else reached,
        ),
        lag=0 if drained else max(0, added - reached) if reached != UNKNOWN else length,
        lost=0 if replaced else lost,
        replaced=replaced,
    )


def wait_for_entries(client: Redis, position: Position, *, seconds: float) -> None:
    """Return when there is an entry after the position, or after `seconds`. Raises redis-py's errors."""
    client.xread({HISTORY_KEY: position.last_id}, count=1, block=max(1, int(seconds * 1000)))


def _order(entry_id: str) -> tuple[int, int]:
    milliseconds, _, sequence = entry_id.partition("-")
    return int(milliseconds), int(sequence or 0)


def _text(value: bytes | str) -> str:
    return value.decode() if isinstance(value, bytes) else value
