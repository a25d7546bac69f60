"""One answer for many who ask the same at the same moment: ten people, one question to the fleet."""

import threading
import time
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from typing import Generic, TypeVar

from msgspec import Struct

from knowledge_base_agent.fleet.deadline import Deadline
from knowledge_base_agent.problems import Away

T = TypeVar("T")


class _Flight(Struct, Generic[T], frozen=True, kw_only=True):
    began: float
    deadline: Deadline
    outcome: Future[T]


class Shared(Generic[T]):
    """Lets a caller take part in the same question that another one has just sent."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._flights: dict[Hashable, _Flight[T]] = {}

    def get(
        self, deadline: Deadline, key: Hashable, ask: Callable[[], T], *, not_older: float
    ) -> T:
        """Return what a question of the same key gives that is still out and was sent at most `not_older` seconds ago.

        Asks itself if there is none, or only one that gives up earlier than we would.
        """
        with self._lock:
            flight = self._flights.get(key)
            if flight is None or not self._fits(flight, deadline, not_older):
                flight = _Flight(began=time.monotonic(), deadline=deadline, outcome=Future())
                self._flights[key] = flight
                leading = True
            else:
                leading = False
        if leading:
            self._fly(key, flight, ask)
        try:
            return flight.outcome.result(timeout=deadline.remaining() + 0.05)
        except FutureTimeout as error:
            raise Away(
                "The workers did not answer in time.", "Ask again.", source="the broker"
            ) from error
        finally:
            # What was raised holds this frame: with the flight, which holds it, only the collector would find them.
            del flight

    def _fly(self, key: Hashable, flight: _Flight[T], ask: Callable[[], T]) -> None:
        try:
            flight.outcome.set_result(ask())
        except BaseException as error:  # noqa: BLE001 - every caller of this flight gets it
            flight.outcome.set_exception(error)
        with self._lock:
            if self._flights.get(key) is flight:
                del self._flights[key]
        del flight  # as in `get`

    @staticmethod
    def _fits(flight: _Flight[T], deadline: Deadline, not_older: float) -> bool:
        young = time.monotonic() - flight.began <= not_older
        return young and flight.deadline.at >= deadline.at - not_older
