"""Many keys removed page by page by the server itself, in one script a page: put aside, or for good.

The next page is asked for before the last one is told of, so that a server never waits for whoever counts, and several
stores go side by side when one step is made of each in turn.

A page is as large as what others may wait for, and atomic: each key is looked at and removed in one step, and whatever
dies in between, it is in exactly one of its two places. Names stay where they are: to send them here and back takes
longer than to find them. Only where no key is looked at is one UNLINK of known names cheaper, which needs no script.
"""

import contextlib
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import redis

from knowledge_base_agent.fleet.aside_keys import prefix_of
from knowledge_base_agent.fleet.away import away_if_down
from knowledge_base_agent.problems import Away

_PAGE_SECONDS: Final = 0.003
"""What a page may take, with the other store's page that the same server may have been asked for first."""
_FIRST, _LEAST, _MOST = 200, 50, 2000
"""Keys of a page."""
_PORTION: Final = 1000
"""Keys that are removed for good at once: 1 to 2 ms."""
_FIND: Final = """
local least, aside, gone = tonumber(ARGV[4]), ARGV[5], 0
local spared, kept, going, many = {}, {}, {}, 0
for n = 6, #ARGV do spared[ARGV[n]] = true end
local found = redis.call('SCAN', ARGV[1], 'MATCH', ARGV[2], 'COUNT', ARGV[3])
local ask, type = redis.pcall, type
for _, key in ipairs(found[2]) do
  local idle = least > 0 and ask('OBJECT', 'IDLETIME', key)
  if spared[key] or type(idle) == 'number' and idle < least then kept[#kept + 1] = key
  else
    many = many + 1
    going[many] = key
  end
end
"""
"""A server that counts how often instead of when (LFU) tells no idle time: then nothing is spared for it."""
PUT_ASIDE: Final = f"""{_FIND}
for _, key in ipairs(going) do
  if redis.pcall('RENAMENX', key, aside .. key) == 1 then gone = gone + 1 end
end
return {{found[1], gone, kept}}
"""
"""RENAMENX: a key that came again under a name which has gone aside stays, and what is aside is not lost to it."""
REMOVE: Final = f"""{_FIND}
for n = 1, many, 1000 do
  gone = gone + redis.call('UNLINK', unpack(going, n, math.min(n + 999, many)))
end
return {{found[1], gone, kept}}
"""
"""Lua unpacks some thousand values at most, and SCAN may find more than it was asked for."""


@dataclass(frozen=True, kw_only=True)
class Page:
    """What came of some keys."""

    gone: int
    kept: frozenset[bytes]


class _Asked:
    """One connection on which a page is asked for, and answered later."""

    def __init__(self, connection: Any, source: str) -> None:
        self._connection = connection
        self._source = source
        self._since: float | None = None
        self.count = _FIRST
        """How many keys the next page should have."""

    @property
    def outstanding(self) -> bool:
        """Whether a page is on its way."""
        return self._since is not None

    def ask(self, *arguments: Any) -> None:
        """Send a script with its arguments. Raises `Away`."""
        script, *rest = arguments
        with away_if_down(self._source):
            self._connection.send_command("EVAL", script, 0, *rest)
        self._since = time.monotonic()

    def answer(self) -> tuple[bytes, Page]:
        """Wait for it, as long as the client's socket timeout; return the next cursor, and the page. Raises `Away`."""
        since, self._since = self._since, None
        with away_if_down(self._source):
            cursor, gone, kept = self._connection.read_response()
        self.count = _next(self.count, time.monotonic() - (since or 0.0))
        return cursor, Page(gone=int(gone), kept=frozenset(kept))


@contextlib.contextmanager
def _asking(client: redis.Redis, source: str, came: Callable[[Page], None]) -> Iterator[_Asked]:
    with away_if_down(source):
        connection = client.connection_pool.get_connection()
    server = _Asked(connection, source)
    try:
        yield server
    finally:
        if server.outstanding:
            with contextlib.suppress(Away):  # what ended this is what its asker has to hear of
                came(server.answer()[1])
        client.connection_pool.release(connection)


def remove_all(
    client: redis.Redis,
    source: str,
    prefix: bytes,
    *,
    mark: str | None,
    spared: Sequence[bytes],
    least_idle: Callable[[], float],
    came: Callable[[Page], None],
) -> Generator[None, None, None]:
    """Remove all keys with this prefix, but those spared and those touched since, a page a step. Raises `Away`.

    With a `mark` they are renamed, to names that `bring_keys_back` knows by it; without, they go for good. `least_idle`
    is asked before each page for how many seconds nobody may have touched a key; 0 spares none for that. `came` hears
    of each page; of the one that is on its way, too, where this iterator is closed instead of asked for a further step.
    """
    script, aside = (REMOVE, "") if mark is None else (PUT_ASIDE, prefix_of(mark))
    with _asking(client, source, came) as server:

        def ask(cursor: bytes) -> None:
            idle = repr(least_idle())
            server.ask(script, cursor, prefix + b"*", server.count, idle, aside, *spared)

        ask(b"0")
        while server.outstanding:
            yield
            cursor, page = server.answer()
            if int(cursor):
                ask(cursor)
            came(page)


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
