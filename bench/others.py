"""Another client at the same time, in a process of its own: how long it waits while something big is done.

`python -m bench.others writer URL` writes one row each few milliseconds as the recorder would; `… pinger URL` pings a
Redis. Both go on until their standard input closes, and then print the seconds of each.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import redis

from bench.measuring import Timing

_PAUSE = 0.005
_ROOT = Path(__file__).parent.parent


class Waits:
    """How long the other client waited, once it has ended."""

    def __init__(self) -> None:
        self.timing: Timing | None = None

    @property
    def most(self) -> float:
        """The longest, in seconds."""
        if self.timing is None:
            raise RuntimeError("the other client has not ended yet")
        return self.timing.most


@contextmanager
def other(kind: str, url: str) -> Iterator[Waits]:
    """Let another client work until the end of the block; lend how long it waited."""
    waits = Waits()
    command = [sys.executable, "-m", "bench.others", kind, url]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=_ROOT, stdin=pipe, stdout=pipe, text=True) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        if process.stdout.readline() != "ready\n":
            raise RuntimeError(f"the {kind} could not begin")
        try:
            yield waits
        finally:
            process.stdin.close()
            waits.timing = Timing(seconds=tuple(json.loads(process.stdout.read())))


def _writer(url: str) -> Callable[[], object]:
    # Here, so that a pinger starts without them.
    from sqlalchemy import text

    from knowledge_base_agent.records.database import open_engine, writing

    engine = open_engine(url, deadline=60)
    with writing(engine) as connection:
        connection.execute(text("CREATE TABLE IF NOT EXISTS bench_other (number integer)"))

    def write() -> None:
        with writing(engine) as connection:
            connection.execute(text("INSERT INTO bench_other VALUES (1)"))

    return write


def _pinger(url: str) -> Callable[[], object]:
    return redis.Redis.from_url(url, socket_timeout=300).ping


def main(kind: str, url: str) -> None:
    """Do it again and again until standard input closes."""
    once = {"writer": _writer, "pinger": _pinger}[kind](url)
    for _ in range(20):
        once()
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    os.set_blocking(sys.stdin.fileno(), False)
    seconds: list[float] = []
    while not _closed():
        started = time.perf_counter()
        once()
        seconds.append(time.perf_counter() - started)
        time.sleep(_PAUSE)
    sys.stdout.write(json.dumps(seconds))


def _closed() -> bool:
    try:
        return os.read(sys.stdin.fileno(), 1) == b""
    except BlockingIOError:
        return False


if __name__ == "__main__":
    main(*sys.argv[1:])
