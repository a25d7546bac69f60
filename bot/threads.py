"""Blocking calls off the event loop: bounded in number, and waited for no longer than the person can wait.

Threads that compute take turns with the event loop, which then acknowledges late. So of calls that have just begun only
a few run at once; one that goes on for longer waits for somebody, and takes no turn from anyone.

Daemon threads, since a call that hangs for ever must not keep the process from ending.
"""

import _thread
import asyncio
import contextvars
import threading
import time
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from queue import Empty, SimpleQueue
from typing import Any, TypeVar

import structlog

from knowledge_base_agent.problems import Away

T = TypeVar("T")
log = structlog.get_logger()
_IDLE_SECONDS = 60.0
_YOUNG_SECONDS = 0.03
"""For how long a call counts as one that computes."""


@dataclass(kw_only=True)
class _Job:
    """One call on its way. Whoever changes it holds the lock."""

    run: Callable[[], None]
    running: bool = False
    given_up: bool = False


class _Turns:
    """Lets so many calls begin that no more of them than `most` are young."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._changed = threading.Condition()
        self._running: list[float] = []
        """When each began that runs, in order."""

    def take(self) -> float:
        """Wait for a turn; return what is to be given back."""
        with self._changed:
            while True:
                now = time.monotonic()
                at = bisect_right(self._running, now - _YOUNG_SECONDS)
                if len(self._running) - at < self._most:
                    self._running.append(now)
                    return now
                self._changed.wait(self._running[at] + _YOUNG_SECONDS - now)

    def give_back(self, began: float) -> None:
        """Let the next one begin."""
        with self._changed:
            self._running.remove(began)
            self._changed.notify()


class Threads:
    """At most `most` blocking calls at once. One more waits for its turn as long as its caller has time for it."""

    def __init__(self, most: int, name: str, *, at_once: int | None = None) -> None:
        """Let `at_once` run at once of those that have just begun, or all of them."""
        self._most = most
        self._turns = _Turns(at_once or most)
        self._name = name
        self._lock = threading.Lock()
        self._threads = self._idle = self._unclaimed = 0
        self._jobs: SimpleQueue[_Job] = SimpleQueue()

    @property
    def busy(self) -> int:
        """How many calls run now, those included that nobody waits for any more."""
        return self._threads - self._idle

    async def call(
        self,
        function: Callable[[], T],
        *,
        within: float | None = None,
        late: Callable[[T], object] | None = None,
    ) -> T:
        """Return what the call returns or raise what it raises; raise `Away` after `within` seconds.

        Without `within` it gets a thread at once, or is refused: what is not given up must not wait unseen either.
        `late` is given what comes after that, on the event loop.
        """
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[T] = loop.create_future()
        context = contextvars.copy_context()
        job = _Job(run=partial(context.run, _work, function, answer, loop))
        self._begin(job, patient=within is not None)
        await asyncio.wait({answer}, timeout=within)
        if answer.done():
            return answer.result()
        answer.add_done_callback(partial(_too_late, late))
        raise self._give_up(job, within or 0.0)

    def _begin(self, job: _Job, *, patient: bool) -> None:
        with self._lock:
            taken = self.busy + self._unclaimed
            if taken >= self._most and not patient:
                raise Away(
                    f"{taken} earlier questions still wait for their answers.",
                    "Something that they ask does not answer. Try again in a minute.",
                    source="the deployment",
                )
            self._unclaimed += 1
            fresh = self._idle < self._unclaimed and self._threads < self._most
            self._threads += fresh
            self._idle += fresh
        self._jobs.put(job)
        if fresh:
            # Not `Thread.start`: that waits until the new thread has run, for which the event loop has no time.
            _thread.start_new_thread(self._serve, ())

    def _give_up(self, job: _Job, within: float) -> Away:
        with self._lock:
            job.given_up = True
            ahead = self.busy
        if not job.running:
            return Away(
                f"So much is asked at once that this had no turn within {within:g} s: {ahead} questions were ahead.",
                "Ask again in a few seconds.",
                source="the deployment",
            )
        return Away(
            f"There was no answer within {within:g} s.",
            "Ask again in a minute; `/kb help` always answers. If it stays, look at the broker, the "
            "database and Redis.",
            source="the deployment",
        )

    def _serve(self) -> None:
        threading.current_thread().name = self._name
        while True:
            try:
                job = self._jobs.get(timeout=_IDLE_SECONDS)
            except Empty:
                with self._lock:
                    if self._unclaimed:  # a job was put into the queue in this very moment
                        continue
                    self._threads -= 1
                    self._idle -= 1
                return
            began = self._turns.take()
            with self._lock:
                self._unclaimed -= 1
                self._idle -= 1
                job.running = not job.given_up
            if job.running:
                job.run()
            self._turns.give_back(began)
            with self._lock:
                self._idle += 1


def _work(
    function: Callable[[], T], answer: "asyncio.Future[T]", loop: asyncio.AbstractEventLoop
) -> None:
    done: Callable[[], Any]
    try:
        done = partial(_set, answer, function())
    except BaseException as error:  # noqa: BLE001 - it is raised again where the caller waits
        done = partial(_set_error, answer, error)
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


def _too_late(late: Callable[[T], object] | None, answer: "asyncio.Future[T]") -> None:
    if answer.cancelled():
        return
    error = answer.exception()
    log.info("an answer came after its deadline", error=repr(error) if error else None)
    if late is not None and error is None:
        late(answer.result())
