"""Tasks that each run in a fork of this process, a few at a time, and answer with a number."""

import os
import select
import signal
import time
import traceback
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Ended(Generic[T]):
    """How one of them ended. `answer` is None where the fork broke off or had to be ended."""

    task: T
    answer: int | None
    in_time: bool
    seconds: float


@dataclass(frozen=True, kw_only=True)
class _Fork(Generic[T]):
    task: T
    pid: int
    reads: int
    """The end of a pipe: it can be read when the fork has answered, or is gone."""
    began: float


def each_in_a_fork(
    tasks: Iterable[T], do: Callable[[T], int], *, at_once: int, within: float
) -> Iterator[Ended[T]]:
    """Yield each task as it ends; the next one is taken from `tasks` when there is room for it.

    A fork that has not answered `within` seconds is ended by force.
    """
    waiting, running = iter(tasks), dict[int, _Fork[T]]()
    while True:
        while len(running) < at_once and (more := next(waiting, None)) is not None:
            fork = _started(more, do)
            running[fork.reads] = fork
        if not running:
            return
        first = min(running.values(), key=lambda fork: fork.began)
        left = max(0.0, first.began + within - time.monotonic())
        ready = select.select(list(running), [], [], left)[0]
        for reads in ready or [first.reads]:
            yield _ended(running.pop(reads), in_time=bool(ready))


def _started(task: T, do: Callable[[T], int]) -> _Fork[T]:
    reads, writes = os.pipe()
    began = time.monotonic()
    pid = os.fork()
    if pid == 0:
        try:
            os.write(writes, str(do(task)).encode())
        except BaseException:  # noqa: BLE001 - nobody else will tell why there is no answer
            traceback.print_exc()
        finally:
            os._exit(0)
    os.close(writes)
    return _Fork(task=task, pid=pid, reads=reads, began=began)


def _ended(fork: _Fork[T], *, in_time: bool) -> Ended[T]:
    if not in_time:
        os.kill(fork.pid, signal.SIGKILL)
    said = os.read(fork.reads, 100) if in_time else b""
    os.close(fork.reads)
    os.waitpid(fork.pid, 0)
    seconds = time.monotonic() - fork.began
    return Ended(
        task=fork.task, answer=int(said) if said else None, in_time=in_time, seconds=seconds
    )
