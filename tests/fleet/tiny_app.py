"""A Celery app to look at: its tasks write a ledger of their own, the one witness that asks nobody."""

import contextlib
import os
import signal
import threading
import time
from typing import Any

import redis
from celery import Celery

if os.environ.get("TINY_KNOWS_LOOK", "1") == "1":
    import knowledge_base_agent.fleet.worker_commands  # noqa: F401

LEDGER = "ledger:"


def tiny_app(
    broker_url: str, result_url: str | None, *, name: str = "tiny", own: str = ""
) -> Celery:
    """Return the app as a client or a worker uses it; `own` names its queue and exchanges in a shared broker."""
    app = Celery(name, broker=broker_url, backend=result_url)
    app.conf.update(
        broker_connection_retry_on_startup=True,
        task_ignore_result=True,  # the ledger is what counts here
        worker_prefetch_multiplier=2,
        worker_hijack_root_logger=False,
        task_default_queue=own or "celery",
        control_exchange=own or "celery",
        event_exchange=f"{own or 'celery'}ev",
    )
    for function in (nap, stubborn, clinging, quick):
        # Not shared: Celery would give each app of this process the tasks of all others.
        app.task(name=f"{name}.{function.__name__}", bind=True, shared=False)(function)
    return app


def note(event: str, task_id: str) -> None:
    """Write into the ledger that a task began or ended."""
    with redis.Redis.from_url(os.environ["TINY_LEDGER"]) as ledger:
        ledger.rpush(LEDGER + event, task_id)


def nap(task: Any, seconds: float, **_: object) -> None:
    """Begin, wait, end."""
    note("began", task.request.id)
    time.sleep(seconds)
    note("ended", task.request.id)


def stubborn(task: Any, seconds: float) -> None:
    """Ignore SIGTERM for a while."""
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    nap(task, seconds)


def clinging(task: Any, seconds: float) -> None:
    """Catch whatever a pool without processes throws into it to end it, and go on."""
    note("began", task.request.id)
    until = time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0:
        with contextlib.suppress(BaseException):
            time.sleep(left)
    note("ended", task.request.id)


def quick(task: Any) -> str:
    """End at once."""
    note("began", task.request.id)
    return "done"


if "TINY_BROKER" in os.environ:
    app = tiny_app(
        os.environ["TINY_BROKER"],
        os.environ.get("TINY_RESULTS"),
        name=os.environ.get("TINY_NAME", "tiny"),
        own=os.environ.get("TINY_OWN", ""),
    )
    if (
        "TINY_VISIBILITY" in os.environ
    ):  # what a dead worker had is given out again after so many seconds
        app.conf.broker_transport_options = {
            "visibility_timeout": float(os.environ["TINY_VISIBILITY"])
        }
