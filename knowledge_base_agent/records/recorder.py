"""The recorder: one process that moves the history stream into SQL, batch by batch.

Any number may run; one is active by a lease. A batch's rows, counters and position commit together, so each entry has
its effect exactly once, whatever dies when. While Redis or the database is away it waits, says so, and goes on where it
was.
"""

import contextlib
import logging
import os
import socket
import threading
import time
from collections.abc import Iterator
from typing import Final

from redis import Redis, RedisError
from redis.backoff import NoBackoff
from redis.retry import Retry
from sqlalchemy import Engine

from knowledge_base_agent.problems import Away
from knowledge_base_agent.records.batches import (
    Gap,
    Overtaken,
    Recorded,
    write_batch,
)
from knowledge_base_agent.records.database import reading, writing
from knowledge_base_agent.records.lease import Lease
from knowledge_base_agent.records.plausible import read_entries
from knowledge_base_agent.records.recorder_state import read_recorder_state
from knowledge_base_agent.records.stream import HISTORY_KEY, LEASE_KEY
from knowledge_base_agent.records.stream_reader import (
    Batch,
    Position,
    read_batch,
    wait_for_entries,
)
from knowledge_base_agent.settings import Settings

LOG = logging.getLogger(__name__)
BATCH: Final = 4_000  # about 0.1 s of writing: other writers of SQLite wait no longer
KEPT: Final = 100_000
"""Recorded entries that stay in the stream: enough to catch up after a database was restored from a backup."""
_LINGER_SECONDS: Final = (
    0.05  # a trickle of entries is gathered, so that it does not become as many transactions
)
_WAIT_SECONDS: Final = 1.0
_HEARTBEAT_SECONDS: Final = 5.0
_FIRST_PAUSE_SECONDS: Final = 0.2
_LONGEST_PAUSE_SECONDS: Final = 5.0
_SOCKET_SECONDS: Final = 3.0


class Recorder:
    """Moves entries into rows until told to stop. One thread, one connection to Redis."""

    def __init__(
        self, settings: Settings, engine: Engine, *, batch: int = BATCH, kept: int = KEPT
    ) -> None:
        self._engine = engine
        self._count = batch
        self._kept = kept
        self._holder = f"{socket.gethostname()}:{os.getpid()}"
        retry = Retry(NoBackoff(), 0)
        self._client = Redis.from_url(
            settings.history_url,
            retry=retry,
            socket_timeout=_SOCKET_SECONDS,
            socket_connect_timeout=_SOCKET_SECONDS,
        )
        self._lease = Lease(self._client, LEASE_KEY, holder=self._holder)
        self._position: Position | None = None
        self._wrote_at = 0.0
        self._away: str | None = None

    def run(self, stop: threading.Event) -> None:
        """Record until `stop` is set. Outages are waited for; only a defect of ours is raised."""
        pause = _FIRST_PAUSE_SECONDS
        while not stop.is_set():
            try:
                self._turn(stop)
                self._back()
                pause = _FIRST_PAUSE_SECONDS
            except (RedisError, OSError, Away) as error:
                self._position = None
                self._say_away(error)
                stop.wait(pause)
                pause = min(pause * 2, _LONGEST_PAUSE_SECONDS)
            except Overtaken:
                LOG.warning("Recorder %s: another one has taken over; waiting", self._holder)
                self._position = None
                with contextlib.suppress(RedisError, OSError):  # it expires by itself then
                    self._lease.release()
                stop.wait(_WAIT_SECONDS)
        with contextlib.suppress(RedisError, OSError):
            self._lease.release()
        self._client.close()

    def _turn(self, stop: threading.Event) -> None:
        if not self._lease.hold():
            self._position = None
            stop.wait(_WAIT_SECONDS)
            return
        if self._position is None:
            self._position = self._resume()
        batch = read_batch(self._client, self._position, count=self._count)
        if batch.after != self._position or time.monotonic() - self._wrote_at > _HEARTBEAT_SECONDS:
            self._write(batch, self._position)
            self._trim(batch.lag)
        if not batch.payloads and not batch.replaced:
            wait_for_entries(self._client, self._position, seconds=_WAIT_SECONDS)
        if batch.lag == 0:
            stop.wait(_LINGER_SECONDS)

    def _resume(self) -> Position:
        with reading(self._engine) as connection:
            state = read_recorder_state(connection)
        position = Position()
        if state is not None:
            position = Position(last_id=state.last_id, number=state.position)
        LOG.info("Recorder %s is active, from entry %s on", self._holder, position.last_id)
        return position

    def _write(self, batch: Batch, before: Position) -> None:
        entries, unreadable = read_entries(batch.payloads)
        gaps = list(_gaps(batch, unreadable))
        for gap in gaps:
            LOG.warning("History has a gap: %s entries; %s", gap.lost, gap.detail)
        recorded = Recorded(
            entries=entries,
            before=before,
            after=batch.after,
            lag=batch.lag,
            holder=self._holder,
            gaps=gaps,
        )
        with writing(self._engine) as connection:
            write_batch(connection, recorded)
        self._position = batch.after
        self._wrote_at = time.monotonic()

    def _trim(self, lag: int) -> None:
        # Only what is recorded may go. Entries that come between the count and this are covered by `kept`: it is more
        # than arrive in that moment. Roughly (~), since whole nodes go many times faster.
        self._client.xtrim(HISTORY_KEY, maxlen=lag + self._kept, approximate=True)

    def _say_away(self, error: Exception) -> None:
        if self._away != str(error):
            self._away = str(error)
            LOG.warning("Recorder waits, and will go on where it was: %s", error)

    def _back(self) -> None:
        if self._away is not None:
            LOG.warning("Recorder goes on")
            self._away = None


def _gaps(batch: Batch, unreadable: int) -> Iterator[Gap]:
    if batch.lost:
        what = "trimmed from the stream before they were recorded"
        yield Gap(source="stream", lost=batch.lost, detail=what)
    if batch.replaced:
        what = "the stream was emptied or restored; what it held and was not yet recorded is lost"
        yield Gap(source="stream", lost=None, detail=what)
    if unreadable:
        yield Gap(source="stream", lost=unreadable, detail="not entries that this version can read")
