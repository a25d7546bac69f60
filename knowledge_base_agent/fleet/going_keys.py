"""Many keys removed page by page: put aside by the server itself, in one script a page, or for good, by their names.

A page is as large as what others may wait for, and atomic: whatever dies in between, each key is in exactly one of its
two places. What goes for good is sent here and back all the same: one UNLINK of many costs a server less than Lua.
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
_SCRIPT: Final = """
local match, aside, least = ARGV[2], ARGV[4], tonumber(ARGV[5])
local spared, kept, gone = {}, {}, 0
for n = 6, #ARGV do spared[ARGV[n]] = true end
local found = redis.call('SCAN', ARGV[1], 'MATCH', match, 'COUNT', ARGV[3])
for _, key in ipairs(found[2]) do
  local idle = least > 0 and redis.pcall('OBJECT', 'IDLETIME', key)
  if spared[key] or type(idle) == 'number' and idle < least then kept[#kept + 1] = key
  elseif redis.pcall('RENAMENX', key, aside .. key) == 1 then gone = gone + 1 end
end
return {found[1], gone, kept}
"""
_UNLINK: Final = """
local least, going, kept = tonumber(ARGV[1]), {}, {}
for _, key in ipairs(KEYS) do
  local idle = redis.pcall('OBJECT', 'IDLETIME', key)
  if type(idle) == 'number' and idle < least then kept[#kept + 1] = key
  else going[#going + 1] = key end
end
return {#going > 0 and redis.call('UNLINK', unpack(going)) or 0, kept}
"""
"""A server that counts how often instead of when (LFU) tells no idle time: then nothing is spared for it.

RENAMENX: a key that came again under a name which has gone aside stays, and what is aside is not lost to it.
"""


@dataclass(frozen=True, kw_only=True)
class Page:
    """What came of some keys."""

    gone: int
    kept: frozenset[bytes]


def put_all_aside(
    client: redis.Redis,
    source: str,
    prefix: bytes,
    *,
    mark: str,
    spared: Sequence[bytes],
    least_idle: Callable[[], float],
) -> Iterator[Page]:
    """Rename all keys with this prefix, but those spared and those touched since, page by page. Raises `Away`.

    Their names with a `mark` are those that `bring_keys_back` knows. `least_idle` is asked before each page for how
    many seconds nobody may have touched a key; 0 spares none for that.
    """
    script, match = client.register_script(_SCRIPT), prefix + b"*"
    cursor, count = b"0", _FIRST
    while True:
        arguments: list[Any] = [cursor, match, count, prefix_of(mark), repr(least_idle()), *spared]
        started = time.monotonic()
        with away_if_down(source):
            answer: Any = script(args=arguments)
        count = _next(count, time.monotonic() - started)
        cursor = answer[0]
        yield Page(gone=int(answer[1]), kept=frozenset(answer[2]))
        if int(cursor) == 0:
            return


def unlink_all(
    client: redis.Redis,
    source: str,
    pages: Iterable[Sequence[bytes]],
    *,
    spared: Sequence[bytes],
    least_idle: Callable[[], float],
) -> Iterator[Page]:
    """Remove these keys for good, but those spared and those touched since, a portion at a time. Raises `Away`.

    A key is looked at and removed in one step. `least_idle` is as in `put_all_aside`.
    """
    stay, script = frozenset(spared), client.register_script(_UNLINK)
    for page in pages:
        going = page
        if stay and (staying := stay.intersection(page)):
            yield Page(gone=0, kept=staying)
            going = [key for key in page if key not in staying]
        for start in range(0, len(going), _PORTION):
            portion, least = going[start : start + _PORTION], least_idle()
            with away_if_down(source):
                if least > 0:
                    gone, kept = script(keys=portion, args=[repr(least)])
                else:
                    gone, kept = client.unlink(*portion), ()
            yield Page(gone=int(gone), kept=frozenset(kept))


def _next(count: int, took: float) -> int:
    """Return the size of the next page: by what the last one took, and never much more at once."""
    wanted = int(count * _PAGE_SECONDS / max(took, 1e-6))
    return max(_LEAST, min(wanted, 2 * count, _MOST))
