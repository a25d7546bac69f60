"""What `doctor` finds about the workers: can they be told, who are they, and how are they set up."""

import re
from collections.abc import Iterator
from datetime import timedelta
from importlib.metadata import version

from knowledge_base_agent.fleet.deadline import Unknown
from knowledge_base_agent.fleet.views import FleetView, Pool, WorkerView
from knowledge_base_agent.operations.doctor_findings import (
    Finding,
    bad,
    fine,
    unknown,
    warning,
)
from knowledge_base_agent.operations.doctor_readings import Readings
from knowledge_base_agent.operations.headcount import headcount
from knowledge_base_agent.redaction import plain
from knowledge_base_agent.wording import counted, duration

_SKEW_WARNS, _SKEW_HARMS = timedelta(seconds=2), timedelta(minutes=1)
_LISTED = 6
_SOFTWARE = re.compile(r"celery:(\S+).*?kombu:(\S+) py:(\S+)", re.DOTALL)
_NO_ANSWER = "no worker told its settings in time"
_START = "Start the workers, then ask again."
_LIMITED = (Pool.PREFORK, Pool.GEVENT)
"""Pools that end a task at its hard limit; gevent where the task waits, and does not hold on."""


def worker_findings(read: Readings) -> Iterator[Finding]:
    """Yield everything about the workers."""
    yield _control(read)
    yield _versions(read)
    if isinstance(read.fleet, FleetView):
        yield from _names(read.fleet)
    yield _switch(
        read,
        "Task events",
        "worker_send_task_events",
        "Start workers with -E, or set worker_send_task_events: Flower and `celery events` see nothing else.",
    )
    yield _switch(
        read,
        "Start of tasks is told",
        "task_track_started",
        "Set task_track_started: without it a running task looks like a waiting one to the result backend.",
    )
    yield _statedb(read)
    yield _skew(read)
    yield _memory(read)
    yield _prefetch(read)
    yield _limits(read)


def _control(read: Readings) -> Finding:
    check = "Workers hear commands"
    if isinstance(read.fleet, Unknown):
        if "refuses" in read.fleet.reason:
            cure = "Give this Redis user the channels too: `ACL SETUSER name &*`."
            return bad(check, read.fleet.reason, cure)
        return unknown(check, read.fleet.reason, "Bring the broker back first.")
    said = headcount(read.fleet)
    if read.fleet.receivers == 0 or not read.fleet.workers:
        return bad(check, said, "Start a worker: `python -m knowledge_base_agent.cli worker`.")
    if read.fleet.complete is False:
        silent = _some(read.fleet.silent) or "some whose names are not known"
        return warning(
            check, f"{said}; silent: {silent}", "Look at the silent ones, by their logs."
        )
    if read.fleet.complete is None:
        return fine(check, f"{said} ({read.fleet.why_unknown})")
    return fine(check, said)


def _versions(read: Readings) -> Finding:
    check = "Versions"
    ours = f"celery {version('celery')}, kombu {version('kombu')}"
    theirs = {
        name: f"celery {match[1]}, kombu {match[2]}"
        for name, report in read.reports.items()
        if (match := _SOFTWARE.search(report)) is not None
    }
    others = {name: said for name, said in theirs.items() if said != ours}
    if others:
        said = "; ".join(f"{plain(name, 60)}: {plain(one, 60)}" for name, one in others.items())
        cure = "Run the same versions everywhere: messages of one may not be understood by another."
        return warning(check, f"{ours} here; {plain(said, 300)}", cure)
    if not theirs:
        return unknown(check, f"{ours} here; no worker told its own", _START)
    return fine(check, f"{ours}, here and in {counted(len(theirs), 'worker')}")


def _names(view: FleetView) -> Iterator[Finding]:
    check = "Each worker has its own name"
    if view.duplicates:
        cure = "Start each with a name of its own (-n name@%h): a command to one reaches all of the name."
        yield bad(check, f"shared: {_some(view.duplicates)}", cure)
    else:
        yield fine(check, "no name is used twice")
    check = "No other app on this broker"
    if view.foreign:
        cure = "Give each app a broker database of its own: a broadcast shutdown of one stops the other's workers."
        yield warning(check, f"workers of another app: {_some(view.foreign)}", cure)
    else:
        yield fine(check, "no other app's worker answered")


def _switch(read: Readings, check: str, setting: str, cure: str) -> Finding:
    told = read.told(setting, False)
    if not told:
        return unknown(check, _NO_ANSWER, _START)
    off = [name for name, value in told.items() if value is not True]
    if off:
        return warning(check, f"off on {_some(off)}", cure)
    return fine(check, f"on, on {counted(len(told), 'worker')}")


def _statedb(read: Readings) -> Finding:
    check = "Revokes outlive a restart"
    told = read.told("worker_state_db", None)
    without = [name for name, path in told.items() if not path]
    if told and not without:
        return fine(check, "worker_state_db is set")
    cure = "Start workers with --statedb=/var/lib/…/%n.db: without it a revoked ETA task runs after a restart."
    if not told:
        return unknown(check, _NO_ANSWER, cure)
    why = f"not in the settings of {_some(without)}; --statedb on a command line is not told by workers"
    return unknown(check, why, cure)


def _memory(read: Readings) -> Finding:
    check = "Memory can be watched"
    if not read.ours:
        return unknown(check, _NO_ANSWER, _START)
    silent = [worker.name for worker in read.ours if worker.memory_allowed is None]
    if silent:
        cure = "Have workers import knowledge_base_agent.fleet.worker_commands, on Linux: no alert comes without."
        return unknown(check, f"not told by {_some(silent)}", cure)
    return fine(check, f"told by {counted(len(read.ours), 'worker')}")


def _skew(read: Readings) -> Finding:
    check = "Clocks agree"
    known = {w.name: w.skew for w in read.ours if w.skew is not None}
    if not known:
        return unknown(check, "no worker told its time", _START)
    name, worst = max(known.items(), key=lambda one: abs(one[1]))
    if abs(worst) <= _SKEW_WARNS:
        return fine(check, f"within {duration(_SKEW_WARNS)}, on {counted(len(known), 'worker')}")
    way = "ahead of" if worst > timedelta(0) else "behind"
    said = f"{plain(name, 80)} is {duration(abs(worst))} {way} this machine"
    cure = "Run a time service (chrony, systemd-timesyncd) on both: ETA tasks start and expire by these clocks."
    return (bad if abs(worst) > _SKEW_HARMS else warning)(check, said, cure)


def _prefetch(read: Readings) -> Finding:
    check = "Messages taken in advance"
    known = [w for w in read.ours if w.prefetch is not None and w.concurrency]
    if not known:
        return unknown(check, "no worker told it", _START)
    greedy = [worker for worker in known if _greedy(worker)]
    if not greedy:
        return fine(check, f"no more than one a slot, on {counted(len(known), 'worker')}")
    said = _some(
        [f"{w.name}: {w.prefetch or 'no limit'} for {w.concurrency} slots" for w in greedy]
    )
    cure = "Set worker_prefetch_multiplier=1: what waits behind a long task can't be taken by an idle worker."
    return warning(check, said, cure)


def _greedy(worker: WorkerView) -> bool:
    if worker.prefetch == 0:
        return True
    # Each ETA task that a worker keeps raises its limit by one.
    taken = (worker.prefetch or 0) - worker.postponed
    return taken > (worker.concurrency or 1)


def _limits(read: Readings) -> Finding:
    check = "Pools that can stop a task"
    if not read.ours:
        return unknown(check, "no worker told its pool", _START)
    deaf = [f"{w.name} ({w.pool})" for w in read.ours if w.pool not in _LIMITED]
    if deaf:
        cure = "Use the prefork pool where time limits count: these let a task run on past its hard limit."
        return warning(check, f"no hard time limit on {_some(deaf)}", cure)
    return fine(check, f"{' or '.join(sorted({w.pool for w in read.ours}))}, on all that answered")


def _some(names: tuple[str, ...] | list[str]) -> str:
    shown = ", ".join(plain(name, 80) for name in sorted(names)[:_LISTED])
    more = len(names) - _LISTED
    return f"{shown} and {more} more" if more > 0 else shown
