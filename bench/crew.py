"""Real solo workers, many of them and quickly: forked from one process that has imported Celery already.

`python -m bench.crew COUNT`, with the environment of `tests.fleet.tiny_app`; SIGTERM ends them all.
"""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator

from knowledge_base_agent.fleet.deadline import Deadline
from knowledge_base_agent.fleet.fleet import Fleet
from tests.fleet.running import ROOT
from tests.servers import RedisSpace
from tests.waiting import wait_until

_PATIENCE = 2.5
"""Seconds of one question until all are there: so long it takes on RabbitMQ, where nobody knows when that is."""


@contextlib.contextmanager
def crew(space: RedisSpace, count: int, fleet: Fleet) -> Iterator[list[int]]:
    """Run so many workers; lend their process ids in the order of their names."""
    environment = os.environ | {
        "TINY_BROKER": space.broker_url,
        "TINY_RESULTS": space.result_url,
        "TINY_LEDGER": space.progress_url,
    }
    command = [sys.executable, "-m", "bench.crew", str(count)]
    with subprocess.Popen(
        command,
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            pids = [int(word) for word in process.stdout.readline().split()]
            wait_until(
                lambda: fleet.workers.look(Deadline.after(_PATIENCE), fresh=True).answered == count,
                within=120,
                what=f"{count} workers answer",
            )
            yield pids
        finally:
            process.terminate()
            process.wait()


def main(count: int) -> None:
    """Fork the workers, print their process ids, and kill them when told to end."""
    from tests.fleet.tiny_app import app

    pids = []
    for number in range(count):
        pid = os.fork()
        if pid == 0:
            name = f"w{number:03}@bench"
            flags = ["--without-mingle", "--without-gossip", "--without-heartbeat", "-l", "ERROR"]
            app.worker_main(["worker", "-P", "solo", "-n", name, *flags])
            os._exit(0)
        pids.append(pid)

    def end(*_: object) -> None:
        for pid in pids:
            os.kill(pid, signal.SIGKILL)  # also ends one that was stopped by a signal
        sys.exit(0)

    signal.signal(signal.SIGTERM, end)
    sys.stdout.write(" ".join(map(str, pids)) + "\n")
    sys.stdout.flush()
    while True:
        signal.pause()


if __name__ == "__main__":
    main(int(sys.argv[1]))
