"""Work that a task must not wait for: a daemon thread per process, woken when there is something to do."""

import logging
import os
import threading
import time
import weakref
from collections.abc import Callable

LOG = logging.getLogger(__name__)
_LOOPS: "weakref.WeakSet[Background]" = weakref.WeakSet()


class Background:
    """Runs `work` soon after `wake`, and then at most once in `every` seconds.

    `work` returns whether it wants to run again without being woken. After a fork the child has no thread: `forget`
    is called there, so that the owner drops what belongs to its parent, and the next `wake` starts a thread.
    """

    def __init__(
        self, work: Callable[[], bool], *, forget: Callable[[], None], every: float, name: str
    ) -> None:
        self._work = work
        self._forget = forget
        self._every = every
        self._name = name
        self._awake = threading.Event()
        self._thread: threading.Thread | None = None
        self._starting = threading.Lock()
        _LOOPS.add(self)

    def wake(self) -> None:
        """Ask for a run. Costs next to nothing when one is already asked for."""
        if self._awake.is_set():
            return
        if self._thread is None:
            self._start()
        self._awake.set()

    def _start(self) -> None:
        with self._starting:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
                self._thread.start()

    def _run(self) -> None:
        while True:
            self._awake.wait()
            self._awake.clear()
            try:
                again = self._work()
            except Exception:  # this thread is the only one that will ever try again
                LOG.exception("%s: an unexpected error; going on", self._name)
                again = False
            if again:
                self._awake.set()
            time.sleep(self._every)

    def after_fork(self) -> None:
        """Start anew in a forked child."""
        self._awake = threading.Event()
        self._starting = threading.Lock()
        self._thread = None
        self._forget()


def _after_fork() -> None:
    for loop in list(_LOOPS):
        loop.after_fork()


os.register_at_fork(after_in_child=_after_fork)
