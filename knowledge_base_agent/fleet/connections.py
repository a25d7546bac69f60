"""Whether the broker, the result backend and the other Redis databases answer, and since when not."""

import time
import uuid
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from celery import Celery
from msgspec import Struct

from knowledge_base_agent.clock import utc_now
from knowledge_base_agent.fleet.away import away, away_if_down
from knowledge_base_agent.fleet.broadcast import SOURCE as BROKER
from knowledge_base_agent.fleet.broker import Broker
from knowledge_base_agent.fleet.deadline import Deadline, Unknown, gather, within
from knowledge_base_agent.fleet.line import open_connection
from knowledge_base_agent.fleet.redis_state import RedisClients, is_redis_url, ping
from knowledge_base_agent.fleet.sightings import Sightings
from knowledge_base_agent.problems import Problem

RESULTS = "the result backend"
PROGRESS = "the progress store"
LOGS = "the log store"


class Reachable(Struct, frozen=True, kw_only=True):
    """It answered."""

    latency: timedelta


class Unreachable(Struct, frozen=True, kw_only=True):
    """It did not."""

    reason: str
    since: datetime
    """The first failure that this process saw in a row, UTC."""
    last_seen: datetime | None
    """When it last answered this process, UTC; None if it never did."""


class NotUsed(Struct, frozen=True, kw_only=True):
    """It is not configured, so nothing can be wrong with it."""


Health = Reachable | Unreachable | NotUsed


class Connections:
    """The sources that the fleet needs. Made once a process; safe to use from many threads."""

    def __init__(
        self,
        app: Celery,
        broker: Broker,
        clients: RedisClients,
        stores: Mapping[str, str],
        sightings: Sightings,
    ) -> None:
        self._app = app
        self._broker = broker
        self._clients = clients
        self._stores = stores
        self.sightings = sightings

    def check(self, deadline: Deadline) -> dict[str, Health]:
        """Ask every source at once; one that is away delays no other. Never raises for one that is away."""
        calls: dict[str, Callable[[], timedelta | None]] = {
            BROKER: self._ping_broker,
            RESULTS: self._ping_results,
        }
        for name, url in self._stores.items():
            calls[name] = self._store(name, url)
        answers = gather(deadline, calls)
        return {name: self._health(name, answer) for name, answer in answers.items()}

    def ping_results(self, deadline: Deadline) -> timedelta | None:
        """Return how long the result backend takes to answer, None if there is none; raise `Away` if it does not.

        A frozen backend makes every worker deaf that is told to revoke something: ask this first.
        """
        try:
            latency = within(deadline, self._ping_results, source=RESULTS)
        except Problem:
            self.sightings.failed(RESULTS)
            raise
        self.sightings.seen(RESULTS)
        return latency

    def _health(self, name: str, answer: timedelta | Unknown | None) -> Health:
        if answer is None:
            return NotUsed()
        if not isinstance(answer, Unknown):
            self.sightings.seen(name)
            return Reachable(latency=answer)
        sighting = self.sightings.failed(name)
        return Unreachable(
            reason=answer.reason,
            since=sighting.away_since or utc_now(),
            last_seen=sighting.last_seen,
        )

    def _store(self, name: str, url: str) -> Callable[[], timedelta]:
        def answer() -> timedelta:
            with away_if_down(name):
                return ping(self._clients.of(url))

        return answer

    def _ping_broker(self) -> timedelta:
        with away_if_down(BROKER):
            if self._broker.is_redis:
                return ping(self._broker.redis().client)
            started = time.perf_counter()
            open_connection(self._app).release()
            return timedelta(seconds=time.perf_counter() - started)

    def _ping_results(self) -> timedelta | None:
        backend: Any = self._app.backend
        url = getattr(backend, "url", None) or self._app.conf.result_backend
        if not url or str(url).startswith("disabled"):
            return None
        if str(url).startswith("rpc"):  # results travel through the broker
            return self._ping_broker()
        with away_if_down(RESULTS):
            if is_redis_url(str(url)):
                return ping(self._clients.of(str(url)))
            return self._read_a_result(backend)

    @staticmethod
    def _read_a_result(backend: Any) -> timedelta:
        """Read a result that can't be there: the one question that every kind of backend answers."""
        started = time.perf_counter()
        try:
            backend.get_task_meta(f"kb-ping-{uuid.uuid4()}", cache=False)
        except Exception as error:
            # Each kind of backend raises its own driver's errors.
            raise away(RESULTS, error) from error
        return timedelta(seconds=time.perf_counter() - started)
