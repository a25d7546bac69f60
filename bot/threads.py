"""Blocking calls off the event loop: bounded in number, and waited for no longer than the person can wait.

Daemon threads, since a call that hangs for ever must not keep the process from ending.
"""

import asyncio
import contextvars
import threading
from collections.abc import Callable
from functools import partial
from queue import Empty, SimpleQueue
from typing import Any, TypeVar

import structlog

from knowledge_base_agent.problems import Away

T = TypeVar("T")
log = structlog.get_logger()
_IDLE_SECONDS = 60.0


class Threads:
    """At most `most` blocking calls at once; one more is refused instead of waiting in a queue nobody sees."""

    def __init__(self, most: int, name: str) -> None:
        self._most = most
        self._name = name
        self._busy = 0
        self._idle = 0
        self._lock = threading.Lock()
        self._jobs: SimpleQueue[Callable[[], None]] = SimpleQueue()

    @property
    def busy(self) -> int:
        """How many calls run now, those included that nobody waits for any more."""
        return self._busy

    async def call(self, function: Callable[[], T], *, within: float | None = None) -> T:
        """Return what the call returns or raise what it raises; raise `Away` after `within` seconds."""
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[T] = loop.create_future()
        self._begin(partial(contextvars.copy_context().run, self._work, function, answer, loop))
        await asyncio.wait({answer}, timeout=within)
        if answer.done():
            return answer.result()
        answer.add_done_callback(_too_late)
        raise Away(
            f"There was no answer within {within:g} s.",
            "Ask again in a minute; `/kb help` always answers. If it stays, look at the broker, the "
            "database and Redis.",
            source="the deployment",
        )

    def _begin(self, job: Callable[[], None]) -> None:
        with self._lock:
            if self._busy >= self._most:
                raise Away(
                    f"{self._busy} earlier questions still wait for their answers.",
                    "Something that they ask does not answer. Try again in a minute.",
                    source="the deployment",
                )
            self._busy += 1
            fresh = self._idle == 0
            self._idle -= 0 if fresh else 1
        self._jobs.put(job)
        if fresh:
            threading.Thread(target=self._serve, name=self._name, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                job = self._jobs.get(timeout=_IDLE_SECONDS)
            except Empty:
                with self._lock:
                    if self._idle == 0:  # a job was promised to this thread a moment ago
                        continue
                    self._idle -= 1
                return
            job()

    def _work(
        self,
        function: Callable[[], T],
        answer: "asyncio.Future[T]",
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        done: Callable[[], Any]
        try:
            done = partial(_set, answer, function())
        except BaseException as error:  # noqa: BLE001 - it is raised again where the caller waits
            done = partial(_set_error, answer, error)
        with self._lock:
            self._busy -= 1
            self._idle += 1
        try:
            loop.call_soon_threadsafe(done)
        except RuntimeError:  # the loop has been closed meanwhile: nobody waits any more
            log.info("a call ended after the bot had stopped")


def _set(answer: "asyncio.Future[T]", value: T) -> None:
    if not answer.done():
        answer.set_result(value)


def _set_error(answer: "asyncio.Future[T]", error: BaseException) -> None:
    if not answer.done():
        answer.set_exception(error)


def _too_late(answer: "asyncio.Future[T]") -> None:
    error = None if answer.cancelled() else answer.exception()
    log.info("an answer came after its deadline", error=repr(error) if error else None)
