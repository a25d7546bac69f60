"""Entries about one run of a task, from the request that its child has, or the pool's parent."""

import os
import time
from collections.abc import Mapping
from typing import Any

import msgspec
from celery.app.task import Context

from knowledge_base_agent.records.stream import Entry

_NOTHING: Mapping[str, Any] = {}


class Here:
    """This process: to ask the system for its id takes longer than to make an entry."""

    process_id = os.getpid()


def _forked() -> None:
    Here.process_id = os.getpid()


os.register_at_fork(after_in_child=_forked)


def now() -> int:
    """Return the time as entries tell it, in microseconds."""
    return time.time_ns() // 1000


def of_context(state: str, name: str, request: Context, task_id: str) -> Entry:
    """Return an entry about a run, by the request of the child that runs the task."""
    # By place, in one go, and without looking for what a context always has: each task pays for this twice.
    delivery = request.delivery_info or _NOTHING
    return Entry(
        state,
        task_id,
        time.time_ns() // 1000,
        name,
        request.retries or 0,
        request.replaced_task_nesting or 0,
        bool(delivery.get("redelivered")),
        delivery.get("routing_key"),
        request.hostname,
        Here.process_id,
        request.parent_id,
        request.root_id,
    )


def of_run(state: str, name: str, request: Any, task_id: str, **more: Any) -> Entry:
    """Return an entry about a run with more fields, by either kind of request."""
    if isinstance(request, Context):
        entry = of_context(state, name, request, task_id)
    else:  # the parent's Request says which child had the task
        entry = _of_request(state, name, request, task_id)
    return msgspec.structs.replace(entry, **more) if more else entry


def _of_request(state: str, name: str, request: Any, task_id: str) -> Entry:
    delivery = getattr(request, "delivery_info", None) or _NOTHING
    return Entry(
        state,
        task_id,
        now(),
        name,
        (getattr(request, "request_dict", None) or _NOTHING).get("retries") or 0,
        getattr(request, "replaced_task_nesting", 0) or 0,
        bool(delivery.get("redelivered")),
        delivery.get("routing_key"),
        getattr(request, "hostname", None),
        getattr(request, "worker_pid", Here.process_id),
        getattr(request, "parent_id", None),
        getattr(request, "root_id", None),
    )
