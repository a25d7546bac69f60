"""Our own control commands, run inside the worker: all that Celery tells with five questions, in one small answer.

`worker_commands` imports it in the workers of the app that is looked after. It leaves arguments out unless they are
asked for, caps the lists beside their exact counts, and tells ages instead of times, so that a wrong clock does no
harm.
"""

import heapq
import os
import resource
import signal
import sys
import time
from collections.abc import Iterable, Iterator
from typing import Any

from celery.utils.saferepr import saferepr
from celery.worker import state as worker_state
from celery.worker.control import control_command, inspect_command
from celery.worker.request import Request

from knowledge_base_agent.fleet import setting_aside
from knowledge_base_agent.fleet.replying import Told
from knowledge_base_agent.fleet.worker_memory import memory_of
from knowledge_base_agent.fleet.worker_queues import consumed
from knowledge_base_agent.fleet.worker_queues import routes as routes_of
from knowledge_base_agent.fleet.worker_words import ENROLLED, KILL, LOOK, PAUSE_TASK, VERSION

ARGUMENTS_LIMIT = 1024
"""Characters of arguments that leave the worker."""
_LEVELS = 6


@inspect_command(name=LOOK, args=[("arguments", bool)], signature="[arguments=False]")  # type: ignore[untyped-decorator, unused-ignore]
def kb_look(
    state: Any, arguments: bool = False, limit: int = 200, ids: Iterable[str] | None = None
) -> dict[str, Any]:
    """Tell what this worker does; with `ids`, of the waiting tasks only those, and which of them are revoked."""
    now, routes = time.time(), routes_of(state.consumer)
    running = state.tset(worker_state.active_requests)
    active, reserved = list(running), list(state.tset(worker_state.reserved_requests) - running)
    postponed = list(_postponed(state.consumer))

    def told(requests: Iterable[Request]) -> list[list[Any]]:
        return [_task(request, now, routes, arguments=arguments) for request in requests]

    answer = _worker(state, now) | {"counts": [len(active), len(reserved), len(postponed)]}
    if ids is not None:
        wanted = set(ids)
        answer["flagged"] = sorted(one for one in wanted if one in worker_state.revoked)
        reserved = [request for request in reserved if request.id in wanted]
        postponed = [entry for entry in postponed if entry[1].id in wanted]
    nearest = heapq.nsmallest(limit, postponed, key=lambda entry: entry[0])
    return Told(
        answer
        | {
            "active": told(active),  # never capped: there is one for each slot
            "reserved": told(reserved[:limit]),
            "scheduled": told(request for _, request in nearest),
        }
    )


@control_command(name=KILL, args=[("process", int)], signature="<process id>")  # type: ignore[untyped-decorator, unused-ignore]
def kb_kill(state: Any, process: int, **_: object) -> dict[str, str]:
    """Kill a pool process that still works on a task which was revoked and ignored its signal.

    Celery forgets a task when it is revoked, so a second revoke with SIGKILL finds nothing to kill.
    """
    pool = state.consumer.controller.pool
    living = _living(pool, None)
    # Greenlets are occupied too, but their numbers are no processes.
    if not isinstance(living, list) or process not in (_occupied(pool, living) or ()):
        return {"error": f"process {process} has no task here"}
    listed = [r.id for r in list(worker_state.active_requests) if r.worker_pid == process]
    if listed:
        return {"error": f"process {process} runs {listed[0]}: revoke that instead"}
    os.kill(process, signal.SIGKILL)
    return {"ok": f"process {process} was sent SIGKILL"}


@control_command(  # type: ignore[untyped-decorator, unused-ignore]
    name=PAUSE_TASK, args=[("task", str), ("wanted", bool)], signature="<task> <true|false>"
)
def kb_pause_task(state: Any, task: str, wanted: bool = True, **_: object) -> dict[str, str]:
    """Set the messages of one task aside from now on, or handle them as ever."""
    found = state.app.tasks.get(task)
    if found is None:
        return {"error": f"unknown task {task}"}
    if not setting_aside.can_set_aside(state.consumer):
        return {"error": "this broker is no Redis: messages can't be set aside"}
    (setting_aside.pause if wanted else setting_aside.resume)(found)
    setting_aside.refresh(state.consumer, found)
    return {"ok": f"{task} is {'set aside' if wanted else 'handled as ever'}"}


def _worker(state: Any, now: float) -> dict[str, Any]:
    consumer = state.consumer
    controller = consumer.controller
    pool = controller.pool.info
    living = _living(controller.pool, pool.get("processes"))
    usage = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {
        "v": VERSION,
        "app": state.app.main,
        "now": now,
        "pid": os.getpid(),
        "pool": pool.get("implementation"),
        "size": _slots(controller.pool, pool.get("max-concurrency")),
        "processes": living,
        "occupied": _occupied(controller.pool, living),
        "prefetch": getattr(getattr(consumer, "qos", None), "value", None),
        "uptime": consumer.controller.info().get("uptime"),
        "clock": state.app.clock.value,
        "memory": usage // 1024 if sys.platform == "darwin" else usage,
        "room": memory_of(living if isinstance(living, list) else ()),
        "revoked": len(worker_state.revoked),
        "paused": setting_aside.paused(state.app)
        if setting_aside.can_set_aside(consumer)
        else None,
        "processed": sum(worker_state.total_count.values()),
        ENROLLED: getattr(consumer, "kb_enrolled", False),
        "queues": sorted(queue.name for queue in consumed(consumer)),
    }


def _slots(pool: Any, told: Any) -> Any:
    """Return how many tasks can run at once now: a prefork pool goes on telling the number it was started with."""
    return getattr(getattr(pool, "_pool", None), "_processes", told)


def _living(pool: Any, listed: Any) -> Any:
    """Leave out pool processes that have ended: the pool's own list keeps them for seconds."""
    children = getattr(getattr(pool, "_pool", None), "_pool", None)
    if not isinstance(children, list):
        return listed
    return [child.pid for child in children if child.exitcode is None]


def _occupied(pool: Any, living: Any) -> list[int] | None:
    """Return the processes, or greenlets, that have a task by the pool's own book: also those revoked that live on."""
    greenlets = getattr(
        pool, "_pool_map", None
    )  # of gevent: one for each task, until it has really ended
    if isinstance(greenlets, dict):
        return list(greenlets)
    jobs = getattr(getattr(pool, "_pool", None), "_cache", None)
    if not isinstance(jobs, dict) or not isinstance(living, list):
        return None
    busy = {getattr(job, "_worker_pid", None) for job in list(jobs.values()) if not job.ready()}
    return [pid for pid in living if pid in busy]


def _postponed(consumer: Any) -> Iterator[tuple[float, Request]]:
    for entry in list(consumer.timer.schedule.queue):
        arguments = entry.entry.args
        if arguments and isinstance(arguments[0], Request):
            yield entry.eta, arguments[0]


def _written(request: Request) -> str:
    """Return the arguments themselves: the message's own reprs are what its sender chose to show."""
    parts = (saferepr(one, ARGUMENTS_LIMIT, _LEVELS) for one in (request.args, request.kwargs))
    return " ".join(parts)[:ARGUMENTS_LIMIT]


def _task(
    request: Request, now: float, routes: dict[tuple[str, str], str], *, arguments: bool
) -> list[Any]:
    headers = request.request_dict
    delivery = request.delivery_info or {}
    key = str(delivery.get("routing_key") or "")
    limit = request.time_limits[0] or request.task.time_limit
    return [  # in the order of FIELDS
        request.id,
        request.name,
        now - request.time_start if request.time_start else None,
        request.worker_pid,
        delivery.get("redelivered"),
        routes.get((str(delivery.get("exchange") or ""), key), key),
        limit,
        headers.get("retries"),
        headers.get("group"),
        bool(request.chord),
        request.root_id,
        request.parent_id,
        request.eta.isoformat() if request.eta else None,
        _written(request) if arguments else None,
    ]
