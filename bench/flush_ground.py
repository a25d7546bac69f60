"""Two stores with a great many keys in them, for row 8: filled and saved once, and what each server begins with."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from ctypes.util import find_library
from pathlib import Path

import redis

from tests.servers import Valkey, valkey_server

_PORTION = 5_000
_FILL = """
for n = tonumber(ARGV[3]), tonumber(ARGV[4]) - 1 do
  local key = string.format('%s:%08x-5d1c-4f0e-8a6f-0123456789ab', ARGV[1], n)
  redis.call('RESTORE', key, 0, ARGV[2], 'IDLETIME', 60)
end
"""
_COUNT = """
local cursor, number = '0', 0
repeat
  local found = redis.call('SCAN', cursor, 'MATCH', ARGV[1], 'COUNT', 10000)
  cursor, number = found[1], number + #found[2]
until cursor == '0'
return number
"""
JEMALLOC = find_library("jemalloc") or ""
"""What servers allocate by as they are packaged, and the Valkey of the tests does not: to remove keys after others were
added costs the C library's malloc more than all the rest."""
Keys = dict[str, list[bytes]]


def stores(server: Valkey) -> dict[str, str]:
    """Return the URLs of both, by how their keys begin."""
    return {"progress": server.url(2), "logs": server.url(3)}


def server_with(dump: Path | None = None) -> AbstractContextManager[Valkey]:
    """Start a server that nobody else has, with what is in a dump."""
    return valkey_server(dump=dump, preload=JEMALLOC)


@contextmanager
def saved(many: int) -> Iterator[Path]:
    """Lend what servers begin with that have so many keys in each store, none of which was touched lately.

    Each contestant has a server of its own: to load it takes half as long as to fill it, and nothing is to be emptied.
    """
    with tempfile.TemporaryDirectory(prefix="kb-bench-") as folder, server_with() as server:
        for prefix, url in stores(server).items():
            with redis.Redis.from_url(url, socket_timeout=300) as client:
                sample = _sample(client, prefix)
                for start in range(0, many, _PORTION):
                    end = min(start + _PORTION, many)
                    client.eval(_FILL, 0, prefix, sample, str(start), str(end))
        with redis.Redis.from_url(server.url(0), socket_timeout=300) as client:
            client.config_set("maxmemory-policy", "allkeys-lru")  # else idle times are not saved
            client.config_set("rdbcompression", "no")
            client.save()
            dump = Path(folder, "dump.rdb")
            shutil.move(Path(client.config_get("dir")["dir"], "dump.rdb"), dump)
        yield dump


def _sample(client: redis.Redis, prefix: str) -> bytes:
    if prefix == "logs":
        client.rpush("sample", "one line", "another line")
    else:
        client.hset("sample", mapping={"done": 123_456, "total": 1_000_000})
    found = client.dump("sample")
    client.unlink("sample")
    assert found is not None
    return found


def known(server: Valkey) -> Keys:
    """Return all keys in the order in which the server has them."""
    found = {}
    for prefix, url in stores(server).items():
        with redis.Redis.from_url(url, socket_timeout=300) as client:
            found[prefix] = list(client.scan_iter(count=5_000))
    return found


def left(server: Valkey) -> int:
    """Return how many keys are still under their names."""
    number = 0
    for prefix, url in stores(server).items():
        with redis.Redis.from_url(url, socket_timeout=300) as client:
            number += int(client.eval(_COUNT, 0, f"{prefix}:*"))
    return number
