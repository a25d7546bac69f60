"""The recorder as it is deployed, and what feeds it, each as a process of its own."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.fleet.running import ROOT

_TICKS = os.sysconf("SC_CLK_TCK")


class RecorderProcess:
    """`python -m knowledge_base_agent.cli recorder`, kept to one core."""

    def __init__(self, database_url: str, redis_url: str) -> None:
        self._environment = os.environ | {
            "DATABASE_URL": database_url,
            "KB_HISTORY_URL": redis_url,
            "KB_LOG_LEVEL": "ERROR",
        }
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> int:
        """Start it; return its process id."""
        command = [sys.executable, "-m", "knowledge_base_agent.cli", "recorder"]
        self._process = subprocess.Popen(command, cwd=ROOT, env=self._environment)
        os.sched_setaffinity(self._process.pid, {max(os.sched_getaffinity(0))})
        return self._process.pid

    def kill(self) -> None:
        """End it in the middle of whatever it does."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()


@contextmanager
def recorder(database_url: str, redis_url: str) -> Iterator[RecorderProcess]:
    """Lend a recorder that is not started yet, and end it."""
    lent = RecorderProcess(database_url, redis_url)
    try:
        yield lent
    finally:
        lent.kill()


@contextmanager
def source(url: str, tasks: int, a_second: int) -> Iterator[subprocess.Popen[str]]:
    """Let the entries of so many tasks be written, so many entries a second (0: as fast as can be)."""
    command = [sys.executable, "-m", "bench.history_source", url, str(tasks), str(a_second)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def fill(url: str, tasks: int) -> None:
    """Write the entries of so many tasks, and return when they are there."""
    with source(url, tasks, 0) as filling:
        assert filling.wait(timeout=300) == 0


def processor_seconds(pid: int) -> float:
    """Return how long a process has had a processor until now."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS
