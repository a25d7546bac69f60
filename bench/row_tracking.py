"""Row 7: what `track(app)` costs: tasks that do nothing, through prefork workers with and without it."""

import os
import statistics
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import redis
from celery import Celery

from bench.grounds import space
from bench.recording import processor_seconds
from bench.rows import Figure, Outcome, Row, Scale, at_least
from knowledge_base_agent.records.stream import HISTORY_KEY
from tests.fleet.running import ROOT
from tests.waiting import wait_until

_QUEUE = "celery"
_WARM = 100
_TOLD = 3
"""Entries of a task that a worker tells: received, started, succeeded."""


@dataclass(frozen=True, kw_only=True)
class _Worker:
    """A prefork worker of two processes with a broker database of its own."""

    broker_url: str
    pid: int

    def processor(self) -> float:
        """Return the processor time of all its processes until now, in seconds."""
        listing = ["ps", "-o", "pid=", "--ppid", str(self.pid)]
        children = subprocess.run(listing, capture_output=True, text=True, check=True).stdout
        pids = [self.pid, *map(int, children.split())]
        return sum(processor_seconds(pid) for pid in pids)


@dataclass(frozen=True, kw_only=True)
class _Round:
    """One round of one worker."""

    a_second: float
    processor: float
    """Seconds of processor time for each task."""


@contextmanager
def _worker(broker_url: str, history_url: str | None) -> Iterator[_Worker]:
    environment = os.environ | {"BENCH_BROKER": broker_url}
    environment |= {"BENCH_HISTORY": history_url} if history_url else {}
    command = [sys.executable, "-m", "celery", "-A", "bench.tracked_app", "worker", "-c", "2"]
    command += ["-l", "ERROR", "--without-mingle", "--without-gossip", "--without-heartbeat"]
    silent = subprocess.DEVNULL
    with subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=silent, stderr=silent
    ) as process:
        try:
            yield _Worker(broker_url=broker_url, pid=process.pid)
        finally:
            process.terminate()
            try:
                process.wait(timeout=30)
            except subprocess.TimeoutExpired:
                process.kill()


def _messages(broker_url: str, many: int) -> list[str]:
    """Return so many messages as Celery writes them, each with an id of its own."""
    with Celery(broker=broker_url) as app:
        app.conf.task_default_queue = "template"
        task_id = app.send_task("nothing.done").id
    client = redis.Redis.from_url(broker_url, decode_responses=True)
    one = client.lpop("template")
    client.close()
    assert isinstance(one, str)
    tag = one.split('"delivery_tag": "')[1].split('"')[0]
    return [
        one.replace(task_id, str(uuid.uuid4())).replace(tag, str(uuid.uuid4())) for _ in range(many)
    ]


def _round(worker: _Worker, many: int) -> _Round:
    """Queue so many, and time all but the first tenth: how soon the first is taken says nothing."""
    waiting = _messages(worker.broker_url, many)
    client = redis.Redis.from_url(worker.broker_url, socket_timeout=60)
    client.rpush(_QUEUE, *waiting)

    def left() -> int:
        return int(client.llen(_QUEUE))

    wait_until(lambda: left() < many * 0.9, within=120, what="the worker takes them")
    began, first, used = time.perf_counter(), left(), worker.processor()
    wait_until(lambda: left() == 0, within=600, what="the worker has taken all")
    took, used = time.perf_counter() - began, worker.processor() - used
    client.close()
    return _Round(a_second=first / took, processor=used / first)


def _tracking(scale: Scale) -> Outcome:
    many, rounds = scale.choose(5_000, 500), scale.choose(7, 1)
    found: dict[str, list[_Round]] = {"without": [], "with": []}
    with space() as ground, ExitStack() as both:
        history = ground.progress_url
        workers = {
            "without": both.enter_context(_worker(ground.broker_url, None)),
            "with": both.enter_context(_worker(ground.result_url, history)),
        }
        for number in range(-1, rounds):
            for name, worker in workers.items():
                one = _round(worker, many if number >= 0 else _WARM)
                if number >= 0:
                    found[name].append(one)
        with redis.Redis.from_url(history) as client:
            expected = (many * rounds + _WARM) * _TOLD
            # Where a child gets no processor for a while, its parent tells what it then tells itself too.
            told = lambda: client.xlen(HISTORY_KEY) >= expected  # noqa: E731
            wait_until(told, within=30, what=f"{expected} entries are in the history")
    return _outcome(many, found)


def _outcome(many: int, found: dict[str, list[_Round]]) -> Outcome:
    figures = []
    costs = {}
    for name, rounds in found.items():
        a_second = statistics.median(one.a_second for one in rounds)
        each = statistics.median(one.processor for one in rounds) * 1e6
        costs[name] = each / 1e6
        figures += [
            Figure(label=f"{many:,} tasks, {name}: a second", value=f"{a_second:,.0f}"),
            Figure(label=f"{name}: processor time of a task", value=f"{each:,.0f} µs"),
        ]
    pairs = zip(found["with"], found["without"], strict=True)
    share = statistics.median(ours.a_second / bare.a_second for ours, bare in pairs)
    goal = at_least("of the throughput without", share * 100, 95, smoke=30, unit="%")
    more = {"seconds a tracked task": costs["with"] - costs["without"]}
    return Outcome(figures=tuple(figures), goals=(goal,), costs=more)


TRACKING = Row(number=7, title="What tracking costs a task", run=_tracking)
