"""The history stream: what an entry says, how it is written, and the keys it lives under."""

from collections.abc import Iterable
from typing import Final

import msgspec

HISTORY_KEY: Final = "kb:history"
LEASE_KEY: Final = "kb:history:recorder"
FIELD: Final = b"e"
GAP: Final = "GAP"


class Entry(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """One thing that happened to one task, as the process that saw it tells it.

    Times are microseconds since the epoch, UTC, by the clock of that process. New fields go to the end: older and
    newer processes then still read each other. A `state` of "GAP" is not about a task: `error_message` says what the
    process named in `worker` lost, `retries` how many entries.
    """

    state: str
    id: str
    at: int
    name: str = ""
    retries: int = 0
    nesting: int = 0  # how often the task replaced itself by another under the same id
    redelivered: bool = False
    queue: str | None = None
    worker: str | None = None
    process_id: int | None = None
    parent_id: str | None = None
    root_id: str | None = None
    args_repr: str | None = None
    args_shortened: bool = False
    error_class: str | None = None
    error_message: str | None = None
    traceback: str | None = None
    eta: int | None = None
    time_limit: float | None = None  # seconds
    message: str | None = None  # the whole message, where it is kept; task_messages.py says how


encode = msgspec.msgpack.Encoder().encode
decode = msgspec.msgpack.Decoder(Entry).decode


def xadd_head(key: str, cap: int) -> bytes:
    """Return what precedes the payload's length in a packed `XADD key MAXLEN ~ cap * e payload`.

    Packing it once spares each entry the client's generic packing, which would be most of what tracking costs.
    """
    words = [b"XADD", key.encode(), b"MAXLEN", b"~", str(cap).encode(), b"*", FIELD]
    head = b"*%d\r\n" % (len(words) + 1)
    return head + b"".join(b"$%d\r\n%s\r\n" % (len(word), word) for word in words) + b"$"


def xadds(head: bytes, payloads: Iterable[bytes]) -> bytes:
    """Return the packed commands for these payloads."""
    return b"".join([b"%s%d\r\n%s\r\n" % (head, len(one), one) for one in payloads])
