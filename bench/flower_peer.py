"""Flower beside the same workers: what its page does when somebody asks it to look again."""

import http.client
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager

from tests.fleet.running import ROOT
from tests.servers import RedisSpace, free_port
from tests.waiting import wait_until

_WITHIN = 60.0
"""Seconds that it may take to start, and to answer."""


class Flower:
    """One that runs, on the loopback interface."""

    def __init__(self, port: int, workers: int) -> None:
        self._port = port
        self._workers = workers

    def refresh(self) -> None:
        """Let it ask every worker anew, and read what it has got from them."""
        began = time.time()
        found = self.answer("/api/workers?refresh=1")
        assert found is not None, "Flower could not ask the workers"
        # It shows what it had where nothing new comes, so that only a time tells that it has asked.
        fresh = [one for one in found.values() if one["timestamp"] >= began]
        assert len(fresh) == self._workers, f"{len(fresh)} of {self._workers} told Flower anew"

    def answer(self, path: str) -> dict[str, dict[str, float]] | None:
        """Return what it says, or None where it does not answer, or not with success."""
        line = http.client.HTTPConnection("127.0.0.1", self._port, timeout=_WITHIN)
        with closing(line):
            try:
                line.request("GET", path)
                said = line.getresponse()
                body = said.read()
            except OSError:
                return None
        return json.loads(body) if said.status == http.HTTPStatus.OK else None


@contextmanager
def flower(space: RedisSpace, workers: int) -> Iterator[Flower]:
    """Run Flower on this broker until the end of the block; lend it as soon as it knows so many workers."""
    port = free_port()
    # Without events: what it hears by them is not what a refresh asks for, and would keep its process busy.
    flags = ["--address=127.0.0.1", f"--port={port}", "--enable_events=False", "--logging=error"]
    with subprocess.Popen(
        [sys.executable, "-m", "celery", "-A", "tests.fleet.tiny_app", "flower", *flags],
        cwd=ROOT,
        env=os.environ
        | {
            "TINY_BROKER": space.broker_url,
            "TINY_RESULTS": space.result_url,
            "TINY_LEDGER": space.progress_url,
            "FLOWER_UNAUTHENTICATED_API": "true",
        },
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        try:
            running = Flower(port, workers)
            wait_until(
                lambda: len(running.answer("/api/workers") or ()) == workers,
                within=_WITHIN,
                what=f"Flower knows {workers} workers",
            )
            yield running
        finally:
            process.kill()
