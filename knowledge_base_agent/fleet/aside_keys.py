"""Single keys put aside instead of deleted: renamed by the server in portions, and renamed back.

A rename takes a key's expiry along, so a return is exact to the millisecond, and what would have expired meanwhile does
so aside. A portion is one script of at most 500 keys (short for others), atomic key by key: whatever dies in between,
each key is in exactly one of its two places.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import redis

from knowledge_base_agent.fleet.asides import PREFIX
from knowledge_base_agent.fleet.away import away_if_down
from knowledge_base_agent.fleet.deadline import Deadline

AT_ONCE: Final = 500
_PAGE: Final = 1000
_SAMPLE: Final = 50
_PUT_ASIDE: Final = """
local moved = 0
for _, key in ipairs(KEYS) do
  if redis.pcall('RENAME', key, ARGV[1] .. key).ok then moved = moved + 1 end
end
return moved
"""
"""A key that is gone by now is an error to RENAME, and no more than that."""
_BRING_BACK: Final = """
local back, taken, start = 0, 0, string.len(ARGV[1]) + 1
for _, aside in ipairs(KEYS) do
  local moved = redis.pcall('RENAMENX', aside, string.sub(aside, start))
  if moved == 1 then back = back + 1 elseif moved == 0 then taken = taken + 1 end
end
return {back, taken}
"""
_SURVEY: Final = """
local back, taken, start = 0, 0, string.len(ARGV[1]) + 1
for _, aside in ipairs(KEYS) do
  local there = redis.call('EXISTS', string.sub(aside, start))
  back, taken = back + 1 - there, taken + there
end
return {back, taken}
"""


@dataclass(frozen=True, kw_only=True)
class Survey:
    """What is aside under one mark. `complete` is False where the time was up before the last key."""

    back: int
    """Keys that come back, or came."""
    taken: int
    """Keys that stay aside: their names are taken again, by something newer."""
    complete: bool = True


def prefix_of(mark: str) -> str:
    """Return how the names of all keys begin that are put aside under this mark."""
    return f"{PREFIX}{mark}:"


def put_keys_aside(client: redis.Redis, source: str, keys: Sequence[bytes | str], mark: str) -> int:
    """Rename these keys aside, and return how many there were. Raises `Away`, also where scripts are not allowed."""
    script = client.register_script(_PUT_ASIDE)
    moved = 0
    with away_if_down(source):
        for start in range(0, len(keys), AT_ONCE):
            portion = list(keys[start : start + AT_ONCE])
            moved += int(script(keys=portion, args=[prefix_of(mark)]))
    return moved


def unlink_keys(client: redis.Redis, source: str, keys: Sequence[bytes | str]) -> int:
    """Remove these keys for good, in portions that no other client notices; return how many were there. `Away`."""
    gone = 0
    with away_if_down(source):
        for start in range(0, len(keys), AT_ONCE):
            gone += int(client.unlink(*keys[start : start + AT_ONCE]))
    return gone


def bring_keys_back(
    client: redis.Redis, source: str, mark: str, told: Callable[[int], None] = lambda done: None
) -> Survey:
    """Rename the keys back, with their expiry, except where a newer key has the name. Raises `Away`."""
    return _each(client, source, mark, client.register_script(_BRING_BACK), None, told)


def survey(client: redis.Redis, source: str, mark: str, deadline: Deadline) -> Survey:
    """Count what `bring_keys_back` would bring back at this moment, until the deadline. Raises `Away`."""
    return _each(client, source, mark, client.register_script(_SURVEY), deadline, lambda done: None)


def free_keys(client: redis.Redis, source: str, mark: str) -> Iterator[None]:
    """Remove what is still aside, and yield after each portion. Raises `Away`."""
    for page in _pages(client, source, mark):
        with away_if_down(source):
            client.unlink(*page)
        yield


def size_of_keys(client: redis.Redis, source: str, mark: str, number: int) -> int:
    """Return about how many bytes so many keys hold aside, from the first of them. Raises `Away`."""
    page = next(_pages(client, source, mark), [])[:_SAMPLE]
    with away_if_down(source), client.pipeline(transaction=False) as pipe:
        for key in page:
            pipe.memory_usage(key)
        sizes = [int(one or 0) for one in pipe.execute()]
    return sum(sizes) * number // len(sizes) if sizes else 0


def _each(
    client: redis.Redis,
    source: str,
    mark: str,
    script: Any,
    deadline: Deadline | None,
    told: Callable[[int], None],
) -> Survey:
    back = taken = 0
    for page in _pages(client, source, mark):
        with away_if_down(source):
            more, newer = script(keys=page, args=[prefix_of(mark)])
        back, taken = back + int(more), taken + int(newer)
        told(back)
        if deadline is not None and deadline.expired:
            return Survey(back=back, taken=taken, complete=False)
    return Survey(back=back, taken=taken)


def _pages(client: redis.Redis, source: str, mark: str) -> Iterator[list[bytes]]:
    """Yield the keys that are aside, at most `AT_ONCE` at a time. One may come twice, as SCAN has it."""
    cursor: Any = 0
    while True:
        with away_if_down(source):
            cursor, keys = client.scan(cursor, match=f"{prefix_of(mark)}*", count=_PAGE)
        found: list[bytes] = list(dict.fromkeys(keys))  # type: ignore[arg-type]  # no decode_responses
        for start in range(0, len(found), AT_ONCE):
            yield found[start : start + AT_ONCE]
        if int(cursor) == 0:
            return
