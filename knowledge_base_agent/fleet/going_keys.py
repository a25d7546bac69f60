"""Many keys removed page by page by the server itself, in one script a page: put aside, or for good.

A page is as large as what others may wait for, and atomic: each key is looked at and removed in one step, and whatever
dies in between, it is in exactly one of its two places. Names stay where they are: to send them here and back takes
longer than to find them. Only where no key is looked at is one UNLINK of known names cheaper, which needs no script.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import redis

from knowledge_base_agent.fleet.aside_keys import prefix_of
from knowledge_base_agent.fleet.away import away_if_down

_PAGE_SECONDS: Final = 0.003
_FIRST, _LEAST, _MOST = 200, 50, 2000
"""Keys of a page."""
_PORTION: Final = 1000
"""Keys that are removed for good at once: 1 to 2 ms."""
_FIND: Final = """
local call = redis.call
local least, aside, gone = tonumber(ARGV[4]), ARGV[5], 0
local spared, kept, going, many = {}, {}, {}, 0
for n = 6, #ARGV do spared[ARGV[n]] = true end
local found = call('SCAN', ARGV[1], 'MATCH', ARGV[2], 'COUNT', ARGV[3])
local keys = found[2]
if least > 0 and keys[1] and type(redis.pcall('OBJECT', 'IDLETIME', keys[1])) == 'table' then
  least = 0
end
for n = 1, #keys do
  local key = keys[n]
  local idle = least > 0 and call('OBJECT', 'IDLETIME', key)
  if spared[key] or idle and idle < least then
    kept[#kept + 1] = key
  else
    many = many + 1
    going[many] = key
  end
end
"""
"""A server that counts how often instead of when (LFU) tells no idle time, but an error: then nothing is spared for it.

What is done a million times avoids what Lua looks up each time: a global, the length of a table.
"""
PUT_ASIDE: Final = f"""{_FIND}
for n = 1, many do
  local key = going[n]
  if redis.pcall('RENAMENX', key, aside .. key) == 1 then gone = gone + 1 end
end
return {{found[1], gone, kept}}
"""
"""RENAMENX: a key that came again under a name which has gone aside stays, and what is aside is not lost to it."""
REMOVE: Final = f"""{_FIND}
for n = 1, many, 1000 do
  gone = gone + call('UNLINK', unpack(going, n, math.min(n + 999, many)))
end
return {{found[1], gone, kept}}
"""
"""Lua unpacks some thousand values at most, and SCAN may find more than it was asked for."""


@dataclass(frozen=True, kw_only=True)
class Page:
    """What came of some keys."""

    gone: int
    kept: frozenset[bytes]


def remove_all(
    client: redis.Redis,
    source: str,
    prefix: bytes,
    *,
    mark: str | None,
    spared: Sequence[bytes],
    least_idle: Callable[[], float],
) -> Iterator[Page]:
    """Remove all keys with this prefix, but those spared and those touched since, page by page. Raises `Away`.

    With a `mark` they are renamed, to names that `bring_keys_back` knows by it; without, they go for good. `least_idle`
    is asked before each page for how many seconds nobody may have touched a key; 0 spares none for that.
    """
    script = client.register_script(REMOVE if mark is None else PUT_ASIDE)
    aside = "" if mark is None else prefix_of(mark)
    cursor, count = b"0", _FIRST
    while True:
        arguments: list[Any] = [cursor, prefix + b"*", count, repr(least_idle()), aside, *spared]
        started = time.monotonic()
        with away_if_down(source):
            answer: Any = script(args=arguments)
        count = _next(count, time.monotonic() - started)
        cursor = answer[0]
        yield Page(gone=int(answer[1]), kept=frozenset(answer[2]))
        if int(cursor) == 0:
            return


def unlink_all(
    client: redis.Redis, source: str, pages: Iterable[Sequence[bytes]]
) -> Iterator[Page]:
    """Remove these keys for good, whoever has touched them, a portion at a time. Raises `Away`."""
    for page in pages:
        for start in range(0, len(page), _PORTION):
            with away_if_down(source):
                gone = client.unlink(*page[start : start + _PORTION])
            yield Page(gone=int(gone), kept=frozenset())


def _next(count: int, took: float) -> int:
    """Return the size of the next page: by what the last one took, and never much more at once."""
    wanted = int(count * _PAGE_SECONDS / max(took, 1e-6))
    return max(_LEAST, min(wanted, 2 * count, _MOST))
