"""Celery's own way to know of tasks: events over pub/sub, into its `State`, which Flower keeps them in.

`python -m bench.events_peer source URL EVENTS A_SECOND` publishes events as workers do; `… state URL` listens until
its standard input closes, and then prints how many it took, and its processor time in seconds.
"""

import base64
import contextlib
import json
import os
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import cycle, islice
from typing import Any

import redis
from celery import Celery

from knowledge_base_agent.records.history_line import HistoryLines
from tests.fleet.running import ROOT
from tests.waiting import wait_until

_TYPES = ("task-sent", "task-received", "task-started", "task-succeeded")
_TASKS = 10_000
_AT_ONCE = 250
_CUT_OFF = (redis.ConnectionError, redis.TimeoutError, OSError)


@dataclass(frozen=True, kw_only=True)
class Taken:
    """How many of the events were taken, and for how many seconds of processor time."""

    events: int
    processor_seconds: float


def _template(url: str) -> tuple[bytes, dict[str, Any]]:
    """Return where Celery publishes its events, and a message as it writes one."""
    client: Any = redis.Redis.from_url(url, socket_timeout=10)
    listening = client.pubsub(ignore_subscribe_messages=True)
    listening.psubscribe("*celeryev*")
    listening.get_message(timeout=5)
    app = Celery(broker=url)
    with app.connection_for_write() as connection:
        dispatcher = app.events.Dispatcher(connection, enabled=True, hostname="w0@host")
        dispatcher.send("task-sent", uuid="x")
        found = wait_until(lambda: listening.get_message(timeout=1), what="Celery's event is seen")
    client.close()
    return found["channel"], json.loads(found["data"])


def _messages(url: str) -> Iterator[bytes]:
    """Yield packed PUBLISH commands for ever: four events of each of ten thousand tasks, and again."""
    channel, message = _template(url)
    body = json.loads(base64.b64decode(message["body"]))
    made = []
    for _ in range(_TASKS):
        for kind in _TYPES:
            told = body | {"type": kind, "uuid": str(uuid.UUID(bytes=os.urandom(16)))}
            told |= {
                "name": "shop.pay",
                "args": "(1, 'c-1')",
                "kwargs": "{}",
                "timestamp": time.time(),
            }
            message["body"] = base64.b64encode(json.dumps(told).encode()).decode()
            text = json.dumps(message).encode()
            head = b"*3\r\n$7\r\nPUBLISH\r\n$%d\r\n%s\r\n$%d\r\n" % (
                len(channel),
                channel,
                len(text),
            )
            made.append(head + text + b"\r\n")
    yield from cycle(made)


def _source(url: str, events: int, a_second: int) -> None:
    told = _messages(url)
    next(told)
    line = HistoryLines(url).dial()
    began = time.monotonic()
    for sent in range(0, events, _AT_ONCE):
        time.sleep(max(0.0, began + sent / a_second - time.monotonic()))
        packed = b"".join(islice(told, _AT_ONCE))
        while not line.send(packed):
            line.answers()
            packed = b""
            time.sleep(0.001)
        line.answers()
    while not line.send():
        line.answers()
    line.close()


def _state(url: str) -> None:
    app = Celery(broker=url)
    state = app.events.State()
    taken = 0

    def take(event: dict[str, Any]) -> None:
        nonlocal taken
        taken += 1
        state.event(event)

    def listen() -> None:
        while True:
            # Redis cuts off who does not keep up; Flower too connects again, and goes on.
            with contextlib.suppress(*_CUT_OFF), app.connection_for_read() as connection:
                receiver = app.events.Receiver(connection, handlers={"*": take})
                receiver.capture(limit=None, timeout=None, wakeup=False)

    listening = threading.Thread(target=listen, daemon=True)
    listening.start()
    sys.stdin.read()
    before = -1
    while taken != before:  # what it has received already is not lost
        before = taken
        time.sleep(1)
    assert listening.is_alive(), (
        "what ended it is written above: these figures are not of the whole"
    )
    sys.stdout.write(f"{taken} {time.process_time()}\n")
    sys.stdout.flush()
    os._exit(0)  # the listening thread never ends


def kept_by_state(url: str, events: int, a_second: int) -> Taken:
    """Publish events at this pace while `State` listens; return how many it took."""
    with _running("state", url) as listener:
        client: Any = redis.Redis.from_url(url, socket_timeout=10)
        wait_until(
            lambda: client.execute_command("PUBSUB", "NUMPAT") or client.pubsub_channels(),
            within=30,
            what="it listens",
        )
        with _running("source", url, str(events), str(a_second)) as source:
            assert source.wait(timeout=600) == 0
        wait_until(lambda: _drained(client), within=60, what="it has read what Redis has for it")
        client.close()
        said, _ = listener.communicate(timeout=60)
    taken, seconds = said.split()
    return Taken(events=int(taken), processor_seconds=float(seconds))


def _drained(client: Any) -> bool:
    return all(int(one["omem"]) == 0 for one in client.client_list(_type="pubsub"))


@contextmanager
def _running(*words: str) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "bench.events_peer", *words]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=ROOT, stdin=pipe, stdout=pipe, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


if __name__ == "__main__":
    if sys.argv[1] == "source":
        _source(sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
    else:
        _state(sys.argv[2])
