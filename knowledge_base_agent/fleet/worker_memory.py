"""How much memory a worker uses, and how much it may: read inside the worker, on Linux. Elsewhere nothing is told.

In a cgroup with a limit, the cgroup's own figures count, without the page cache that it could give back. Else it is
the sum of what the main process and its pool's processes have resident (pages that they share count once each),
against the machine's memory.
"""

import os
from collections.abc import Iterable

_CGROUP = "/sys/fs/cgroup"
_FILES = (
    ("memory.max", "memory.current", "memory.stat", "inactive_file"),  # version 2
    (
        "memory/memory.limit_in_bytes",
        "memory/memory.usage_in_bytes",
        "memory/memory.stat",
        "total_inactive_file",
    ),
)
_MUCH = 16384
"""Bytes of one read: more than any of these files has."""


def memory_of(processes: Iterable[int]) -> tuple[int, int] | None:
    """Return (used, allowed) in bytes, or None where that can't be told."""
    machine = _machine()
    if machine is None:
        return None
    limited = cgroup_memory(_CGROUP, machine)
    if limited is not None:
        return limited
    used = [_resident(pid) for pid in {os.getpid(), *processes}]
    known = [one for one in used if one is not None]
    return (sum(known), machine) if known else None


def cgroup_memory(folder: str, machine: int) -> tuple[int, int] | None:
    """Return (used, limit) of the cgroup mounted there, or None without a limit below the machine's memory."""
    for limit_file, used_file, stat_file, cache in _FILES:
        limit = _number(f"{folder}/{limit_file}")
        if limit is None or not 0 < limit < machine:
            continue
        used = _number(f"{folder}/{used_file}")
        if used is not None:
            return max(used - _stat(f"{folder}/{stat_file}", cache), 0), limit
    return None


def _machine() -> int | None:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (ValueError, OSError, AttributeError):
        return None


def _resident(pid: int) -> int | None:
    try:
        return int(_read(f"/proc/{pid}/statm").split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, IndexError):
        return None


def _number(path: str) -> int | None:
    try:
        return int(_read(path))
    except (OSError, ValueError):  # not mounted, or "max": without a limit
        return None


def _stat(path: str, name: str) -> int:
    try:
        lines = _read(path).decode("ascii").splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith(f"{name} ")), 0)


def _read(path: str) -> bytes:
    """Read a file of the kernel's. `Path.read_text` takes four times as long, in every worker of a host at once."""
    file = os.open(path, os.O_RDONLY)
    try:
        return os.read(file, _MUCH)
    finally:
        os.close(file)
