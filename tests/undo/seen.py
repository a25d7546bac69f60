"""What stands where, byte by byte: what an undo is held against."""

import contextlib
from collections.abc import Iterable, Iterator

import redis

Database = dict[bytes, tuple[bytes, int]]
"""Each key with its whole value (DUMP) and the moment it expires at (ms since the epoch, −1 for never)."""


@contextlib.contextmanager
def connected(url: str) -> Iterator[redis.Redis]:
    """Lend a plain client."""
    client = redis.Redis.from_url(url)
    try:
        yield client
    finally:
        client.close()


def database(url: str) -> Database:
    """Return everything in a Redis database, but for who listens at present."""
    with connected(url) as client:
        keys = sorted(key for key in client.scan_iter(count=1000) if b"_kombu." not in key)
        with client.pipeline(transaction=False) as pipe:
            for key in keys:
                pipe.dump(key)
                pipe.pexpiretime(key)
            answers = pipe.execute()
    return dict(zip(keys, zip(answers[::2], answers[1::2], strict=True), strict=True))


def lists(url: str, keys: Iterable[str]) -> dict[str, list[bytes]]:
    """Return lists element by element, in the order in which they are kept."""
    with connected(url) as client:
        return {key: [bytes(one) for one in client.lrange(key, 0, -1)] for key in keys}  # type: ignore[arg-type]
