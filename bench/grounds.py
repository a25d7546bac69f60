"""Where rows are measured: servers of their own, started for the row and ended with it."""

from collections.abc import Iterator
from contextlib import contextmanager

from tests.servers import RedisSpace, RedisSpaces, valkey_server


@contextmanager
def space() -> Iterator[RedisSpace]:
    """Lend four databases of a private Valkey that serves nobody else."""
    with valkey_server() as server, RedisSpaces(server).one() as lent:
        yield lent
