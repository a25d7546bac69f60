"""The moment before an effect, which whoever asked for it can still take back."""

import threading

from knowledge_base_agent.fleet.deadline import Deadline


class Gate:
    """Stands between a look at a server and an effect there, in one call; its asker waits at first until `soon` alone.

    Either the call passes, and its asker waits for what comes of the effect, or the asker gives it up, and there is
    none: both can't be, whatever the two threads do at the same moment.
    """

    def __init__(self, soon: Deadline) -> None:
        self.soon = soon
        self._lock = threading.Lock()
        self._closed = False
        self._passed = False

    @property
    def passed(self) -> bool:
        """Whether the effect was begun; False for good once `close` was True."""
        return self._passed

    def enter(self) -> None:
        """Begin the effect. Raises `TimeoutError` where the asker was told already that it was not begun."""
        with self._lock:
            if self._closed:
                raise TimeoutError("it was given up before it began")
            self._passed = True

    def close(self) -> bool:
        """Give it up, and tell whether it was not too late for that."""
        with self._lock:
            self._closed = True
            return not self._passed
