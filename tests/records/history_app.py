"""A Celery app whose tasks do what tasks of other people do: succeed, fail, hang, die. Tracked by the one line."""

import os
import re
import signal
import time
from typing import Any

from celery import Task
from celery.exceptions import Ignore, Reject
from celery.utils.log import get_task_logger

from knowledge_base_agent.celery_app import make_app
from knowledge_base_agent.records.reporting import log_line, report_progress
from knowledge_base_agent.settings import load_settings

LOG = get_task_logger(__name__)
app = make_app(load_settings())
app.conf.include = []


@app.task(name="history.add")
def add(left: int, right: int, **_: object) -> int:
    """Succeed at once."""
    return left + right


@app.task(name="history.fail")
def fail(secret: str) -> None:
    """Fail with a secret in the message."""
    raise ValueError(f"could not log in with password={secret}")


@app.task(name="history.fail_once", bind=True, max_retries=3)
def fail_once(self: "Task[Any, Any]", countdown: float) -> str:
    """Fail the first time, and ask to be tried again."""
    if self.request.retries == 0:
        raise self.retry(exc=ConnectionError("the site is away"), countdown=countdown)
    return "done"


@app.task(name="history.sleep")
def sleep(seconds: float) -> None:
    """Take a while."""
    time.sleep(seconds)


@app.task(name="history.stubborn")
def stubborn(seconds: float) -> None:
    """Take a while, and ignore SIGTERM."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    time.sleep(seconds)


@app.task(name="history.die")
def die() -> None:
    """Take the worker's child process down."""
    os.kill(os.getpid(), signal.SIGKILL)


@app.task(name="history.reject")
def reject() -> None:
    """Refuse the message."""
    raise Reject("not mine", requeue=False)


@app.task(name="history.ignore")
def ignore() -> None:
    """End without a result."""
    raise Ignore("nothing to do")


@app.task(name="history.backtrack")
def backtrack() -> bool:
    """Never let go of the interpreter again: one call of C code that takes ages."""
    return re.match(r"(a|a)+$", "a" * 60 + "b") is None


@app.task(name="history.tell", bind=True)
def tell(self: "Task[Any, Any]", steps: int, seconds: float) -> None:
    """Say how far it is, and log, more often than anyone reads; then take a while."""
    for step in range(1, steps + 1):
        report_progress(done=step, total=steps, phase="counting")
        log_line(f"step {step}")
    LOG.warning("counted with token=%s", "abc123secret")
    report_progress(note="all counted")
    time.sleep(seconds)


@app.task(name="history.replace", bind=True)
def replace(self: "Task[Any, Any]") -> None:
    """Go on as another task under the same id."""
    raise self.replace(add.s(1, 2))


@app.task(name="history.hoard")
def hoard(megabytes: int, seconds: float) -> int:
    """Keep so much memory that is really used, for a while."""
    hoarded = bytearray(os.urandom(1_000_000)) * megabytes
    time.sleep(seconds)
    return len(hoarded)
