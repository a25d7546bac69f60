"""The newest message of each list of a queue, remembered, so that a later look can tell what came behind it.

A count alone can't: as many messages as were shown may be others. kombu publishes at the left end of a list and takes
from the right, so whatever is to the left of the newest one that was shown came since, and nothing else did.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import redis

from knowledge_base_agent.fleet.broker import RedisBroker

_AT_ONCE: Final = 500
"""Messages read in one step: half a millisecond for other clients, at a kilobyte each."""
_LEAST, _SHARE, _MOST = 10, 0.1, 100_000
"""How far is looked: a little further than the change that a look at the click lets pass."""


@dataclass(frozen=True, kw_only=True)
class End:
    """The left end of one list, as it was."""

    newest: str
    """What tells its first message from any other: 32 hexadecimal digits; empty where the list was."""
    length: int


def ends(broker: RedisBroker, queue: str) -> tuple[End, ...]:
    """Return the ends of a queue's lists, in the order of `RedisKeys.lists`. One step, at any depth. Blocks."""
    with broker.client.pipeline(transaction=True) as pipe:
        for _, key in broker.keys.lists(queue):
            pipe.lindex(key, 0)
            pipe.llen(key)
        said: list[Any] = pipe.execute()
    return tuple(
        End(newest=_named(newest), length=int(length))
        for newest, length in zip(said[::2], said[1::2], strict=True)
    )


def came_behind(broker: RedisBroker, queue: str, shown: Sequence[End]) -> int:
    """Return how many messages of a queue came behind these ends and are there. Blocks.

    Where none of what was shown is found among the newest tenth, at least ten and at most 100,000 messages, the
    number of those that were looked at is returned: at least so many came.
    """
    far = min(max(_LEAST, int(_SHARE * sum(one.length for one in shown))) + 1, _MOST)
    lists = broker.keys.lists(queue)
    # Settings that have changed since (priorities, a prefix) leave nothing to compare: then the count alone speaks.
    if len(lists) != len(shown):
        return 0
    return sum(
        _behind(broker.client, key, end, far) for (_, key), end in zip(lists, shown, strict=True)
    )


def _behind(client: redis.Redis, key: str, end: End, far: int) -> int:
    length: Any = client.llen(key)
    if not end.newest:
        return int(length)
    grown = int(length) - end.length
    # Where nothing was taken meanwhile, that is its place.
    if grown >= 0 and _named(client.lindex(key, grown)) == end.newest:
        return grown
    for start in range(0, far, _AT_ONCE):
        found: Any = client.lrange(key, start, min(start + _AT_ONCE, far) - 1)
        for number, message in enumerate(found):
            if _named(message) == end.newest:
                return start + number
        if len(found) < min(_AT_ONCE, far - start):
            return start + len(found)
    return far


def _named(message: Any) -> str:
    return "" if message is None else hashlib.sha256(message).hexdigest()[:32]
