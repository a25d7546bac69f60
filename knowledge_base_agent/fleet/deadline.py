"""Wall-clock deadlines for calls that may block: the one place of the project that starts threads for them.

A blocking call can't be stopped from outside. What can be done: run it in a daemon thread, stop waiting at the
deadline, and keep count of the threads left behind, so that a dead source is refused at once instead of eating threads.
"""

import contextvars
import logging
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Generic, TypeVar, cast

from msgspec import Struct

from knowledge_base_agent.problems import Away, Problem

if TYPE_CHECKING:
    from knowledge_base_agent.fleet.gate import Gate

T = TypeVar("T")
log = logging.getLogger(__name__)

ABANDONED_LIMIT = 3
"""Calls to one source that may hang at once. With so many, one at a time is tried, and the others are refused at once,
until one is answered: each that hangs keeps a thread, and a person waiting for what is known already."""
TRIED_AGAIN_SECONDS = 10.0
"""After so long another one is tried beside that: what is sent to a server that has gone may wait for a quarter of an
hour, though another one has long taken its place."""
_MOST_HANGING = 32
"""With so many, none is."""
SOON_SECONDS = 0.25
"""Seconds within which a source that is there again has answered the one call that was tried."""
_IDLE_SECONDS = 30.0


class Deadline(Struct, frozen=True, kw_only=True):
    """The moment by which an answer must be there, on this machine's monotonic clock."""

    at: float

    @classmethod
    def after(cls, span: timedelta | float) -> "Deadline":
        """Return the deadline that is `span` (seconds or a timedelta) from now."""
        seconds = span.total_seconds() if isinstance(span, timedelta) else span
        return cls(at=time.monotonic() + seconds)

    def remaining(self) -> float:
        """Return the seconds left, never below 0."""
        return max(self.at - time.monotonic(), 0.0)

    @property
    def expired(self) -> bool:
        """Whether nothing is left."""
        return time.monotonic() >= self.at

    def at_most(self, seconds: float) -> "Deadline":
        """Return this deadline, or the one `seconds` from now if that is sooner."""
        return Deadline(at=min(self.at, time.monotonic() + seconds))


class Unknown(Struct, frozen=True, kw_only=True):
    """What stands in the place of a figure that could not be read. Never zero, never empty."""

    reason: str


@dataclass(kw_only=True, eq=False)
class _Call(Generic[T]):
    """One call on its way through a thread; `done` is set when `result` or `error` is there."""

    source: str
    began: float = field(default_factory=time.monotonic)
    done: threading.Event = field(default_factory=threading.Event)
    result: T | None = None
    error: BaseException | None = None
    abandoned: bool = False
    finished: bool = False


_PART_OF: ContextVar[tuple[_Call[object], ...]] = ContextVar("kb_part_of", default=())
"""The calls that what runs now is a part of: the one call that is tried must not be refused its own parts."""


class Threads:
    """Daemon threads, made when needed and reused, that run blocking calls."""

    def __init__(self, *, abandoned_limit: int = ABANDONED_LIMIT) -> None:
        self._limit = abandoned_limit
        self._lock = threading.Lock()
        self._waiting: SimpleQueue[tuple[_Call[object], Callable[[], object]]] = SimpleQueue()
        """Each with what it is to do, which is no part of it: the context holds the call, in a circle otherwise."""
        self._idle = 0
        self._hanging: defaultdict[str, set[_Call[object]]] = defaultdict(set)
        """By source, the calls that were abandoned and have not ended; none of before its last answer."""
        self._silent: dict[str, _Call[object]] = {}
        """Sources of which too many calls hung, each with the last call that was tried since."""

    def within(
        self,
        deadline: Deadline,
        function: Callable[[], T],
        *,
        source: str,
        gate: "Gate | None" = None,
    ) -> T:
        """Run a blocking call; raise `Away` at the deadline, or at once when too many calls to `source` hang.

        `source` is what a person calls the other side ("the broker"). Errors of the call itself pass through. A call
        that has not passed its `gate` by then is given up at the gate's own moment.
        """
        call = self._begin(deadline, function, source)
        if gate is not None and not call.done.wait(gate.soon.remaining()) and gate.close():
            deadline = gate.soon
        return self._await(deadline, call)

    def ahead(
        self, deadline: Deadline, function: Callable[[], T], *, source: str
    ) -> Callable[[], T]:
        """Begin a call that is wanted soon, and return what waits for it, as `within` does, up to the same deadline.

        For reading alone: whoever does not wait for it never hears how it ended.
        """
        return partial(self._await, deadline, self._begin(deadline, function, source))

    def gather(
        self, deadline: Deadline, calls: Mapping[str, Callable[[], T]]
    ) -> dict[str, T | Unknown]:
        """Ask all at once; each answer is a result, or `Unknown` where a `Problem` or the deadline came first.

        The keys name the sources. Errors that are no `Problem` are defects of ours and pass through.
        """
        started: dict[str, _Call[T] | Unknown] = {}
        for name, function in calls.items():
            try:
                started[name] = self._begin(deadline, function, name)
            except Problem as problem:
                started[name] = Unknown(reason=str(problem))
        settled: dict[str, T | Unknown] = {}
        for name, call in started.items():
            if isinstance(call, Unknown):
                settled[name] = call
                continue
            try:
                settled[name] = self._await(deadline, call)
            except Problem as problem:
                settled[name] = Unknown(reason=str(problem))
        return settled

    def _begin(self, deadline: Deadline, function: Callable[[], T], source: str) -> _Call[T]:
        tried = self._silent.get(source)
        if tried is not None and tried not in _PART_OF.get():
            tried.done.wait(
                min(tried.began + SOON_SECONDS - time.monotonic(), deadline.remaining())
            )
        if deadline.expired:
            raise Away.late(source)
        # In the caller's context: what a request may wait for in all counts for what it asks for at once, too.
        context = contextvars.copy_context()
        call: _Call[T] = _Call(source=source)
        context.run(_PART_OF.set, (*_PART_OF.get(), cast("_Call[object]", call)))
        with self._lock:
            self._refuse_if_silent(cast("_Call[object]", call))
            fresh = self._idle == 0
            self._idle -= 0 if fresh else 1
        self._waiting.put((cast("_Call[object]", call), partial(context.run, function)))
        if fresh:
            threading.Thread(target=self._serve, name="kb-fleet", daemon=True).start()
        return call

    def _refuse_if_silent(self, call: _Call[object]) -> None:
        """Return if this call may be tried, else raise `Away`. Whoever calls holds the lock."""
        source, hanging = call.source, len(self._hanging[call.source])
        if source not in self._silent and hanging < self._limit:
            return
        tried = self._silent.get(source)
        if tried is None or tried.finished or self._tried_in_vain(tried, hanging):
            self._silent[source] = call
            return
        if tried in _PART_OF.get():
            return
        many = f"{hanging} calls to {source} still hang"
        raise Away(
            f"{many if hanging > 1 else f'A call to {source} still hangs'}, so no further one was tried.",
            f"Look at {source} itself; this clears by itself once it answers again.",
            source=source,
        )

    @staticmethod
    def _tried_in_vain(tried: _Call[object], hanging: int) -> bool:
        return hanging < _MOST_HANGING and time.monotonic() - tried.began > TRIED_AGAIN_SECONDS

    def _await(self, deadline: Deadline, call: _Call[T]) -> T:
        if not call.done.wait(deadline.remaining()):
            with self._lock:
                if not call.finished:
                    call.abandoned = True
                    self._hanging[call.source].add(cast("_Call[object]", call))
            if call.abandoned:
                raise Away.late(call.source)
        if call.error is not None:
            raise call.error
        return cast("T", call.result)

    def _serve(self) -> None:
        while True:
            try:
                call, function = self._waiting.get(timeout=_IDLE_SECONDS)
            except Empty:
                with self._lock:
                    if self._idle == 0:  # a call was promised to this thread a moment ago
                        continue
                    self._idle -= 1
                return
            self._run(call, function)

    def _run(self, call: _Call[object], function: Callable[[], object]) -> None:
        try:
            call.result = function()
        except BaseException as error:  # noqa: BLE001 - it is raised again where the caller waits
            call.error = error
        with self._lock:
            call.finished = True
            self._idle += 1
            self._hanging[call.source].discard(call)
            if call.error is None or time.monotonic() - call.began < SOON_SECONDS:
                self._silent.pop(call.source, None)
                self._hanging[call.source].clear()
        if call.abandoned:
            log.info("a call to %s ended after its deadline: %r", call.source, call.error)
        call.done.set()


_THREADS = Threads()
within, ahead, gather = _THREADS.within, _THREADS.ahead, _THREADS.gather
"""The same in threads that all share."""
