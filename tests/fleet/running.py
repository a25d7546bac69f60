"""Real workers for the fleet's tests: started, watched and ended by their process ids."""

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import redis
from celery import Celery

from knowledge_base_agent.fleet.deadline import Deadline
from knowledge_base_agent.fleet.fleet import Fleet
from tests.closing import close_app
from tests.fleet.tiny_app import LEDGER, tiny_app
from tests.servers import RedisSpace
from tests.waiting import wait_until

ROOT = Path(__file__).parents[2]


@dataclass(kw_only=True)
class Site:
    """A place with a broker, where workers are started; the ledger is in the progress database."""

    broker_url: str
    result_url: str
    ledger_url: str
    log: Path
    """The folder of the workers' logs."""
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    _made: list[Celery] = field(default_factory=list)

    @classmethod
    def on(cls, space: RedisSpace, log: Path) -> "Site":
        """Return a site on databases that were lent."""
        return cls(
            broker_url=space.broker_url,
            result_url=space.result_url,
            ledger_url=space.progress_url,
            log=log,
        )

    def app(self, name: str = "tiny") -> Celery:
        """Return the app as a client sees it."""
        made = tiny_app(self.broker_url, self.result_url, name=name)
        self._made.append(made)
        return made

    def fleet(self, name: str = "tiny") -> Fleet:
        """Return a fleet that has not asked anyone yet."""
        return Fleet(self.app(name), progress_url=self.ledger_url)

    def start(self, worker: str, *more: str, key: str = "", **environment: str) -> int:
        """Start a worker and return its process id, at once."""
        command = [sys.executable, "-m", "celery", "-A", "tests.fleet.tiny_app", "worker"]
        command += ["-n", worker, "-l", "WARNING", "--without-mingle", "--without-gossip", *more]
        with (self.log / f"{key or worker}.log").open("wb") as log:
            process = subprocess.Popen(
                command,
                cwd=ROOT,
                env=os.environ
                | {
                    "TINY_BROKER": self.broker_url,
                    "TINY_RESULTS": self.result_url,
                    "TINY_LEDGER": self.ledger_url,
                }
                | environment,
                stdout=log,
                stderr=log,
            )
        self.processes[key or worker] = process
        return process.pid

    def signal(self, worker: str, number: signal.Signals) -> None:
        """Send a signal to a worker's main process."""
        self.processes[worker].send_signal(number)

    def await_workers(self, fleet: Fleet, count: int) -> None:
        """Wait until so many answer."""
        wait_until(
            lambda: fleet.workers.look(Deadline.after(2), fresh=True).answered == count,
            within=30,
            what=f"{count} workers answer; see {self.log}",
        )

    def ledger(self, event: str) -> list[str]:
        """Return the ids of the tasks that began, or ended, in that order."""
        with redis.Redis.from_url(self.ledger_url) as client:
            return [str(one, "utf-8") for one in client.lrange(LEDGER + event, 0, -1)]

    def await_began(self, ids: Sequence[str]) -> None:
        """Wait until all of these tasks have begun."""
        wait_until(lambda: set(ids) <= set(self.ledger("began")), what=f"{ids} began")

    def kill(self, worker: str) -> None:
        """End a worker and its children, without a word to anybody."""
        process = self.processes.pop(worker)
        children = _children(process.pid)
        process.kill()  # also ends one that was stopped by a signal
        process.wait()
        for child in children:
            _kill(child)

    def stop(self) -> None:
        """End every process that was started here, with their children, and close what apps were made."""
        for worker in list(self.processes):
            self.kill(worker)
        while self._made:
            close_app(self._made.pop())


def _children(pid: int) -> list[int]:
    listing = subprocess.run(
        ["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True, check=False
    )
    return [int(word) for word in listing.stdout.split()]


def _kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return
