"""How much memory a worker uses, and how much it may: read inside the worker, on Linux. Elsewhere nothing is told.

In a cgroup with a limit, the cgroup's own figures count, without the page cache that it could give back. Else it is
the sum of what the main process and its pool's processes have resident (pages that they share count once each),
against the machine's memory.
"""

import os
from collections.abc import Iterable
from pathlib import Path

_CGROUP = Path("/sys/fs/cgroup")
_FILES = (
    ("memory.max", "memory.current", "inactive_file"),  # version 2
    ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes", "total_inactive_file"),
)


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


def cgroup_memory(folder: Path, machine: int) -> tuple[int, int] | None:
    """Return (used, limit) of the cgroup mounted there, or None without a limit below the machine's memory."""
    for limit_file, used_file, cache in _FILES:
        limit, used = _number(folder / limit_file), _number(folder / used_file)
        if limit is not None and used is not None and 0 < limit < machine:
            stat = (folder / used_file).with_name("memory.stat")
            return max(used - _stat(stat, cache), 0), limit
    return None


def _machine() -> int | None:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (ValueError, OSError, AttributeError):
        return None


def _resident(pid: int) -> int | None:
    try:
        pages = Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1]
        return int(pages) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, IndexError):
        return None


def _number(path: Path) -> int | None:
    try:
        return int(path.read_text(encoding="ascii"))
    except (OSError, ValueError):  # not mounted, or "max": without a limit
        return None


def _stat(path: Path, name: str) -> int:
    try:
        lines = path.read_text(encoding="ascii").splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith(f"{name} ")), 0)
