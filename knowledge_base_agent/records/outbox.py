"""Getting history entries out of a process without making its tasks wait.

An entry that is urgent (a task starts) is written to the socket at once, together with all that waits, and without
reading an answer; a background thread sends the rest within 50 ms, reads the answers, and reconnects. What has no
answer yet is kept, and sent again on the next connection: a repeated entry changes nothing in the recorder. A Redis
that is frozen or away costs a task one socket timeout (20 ms), and then nothing until the thread has it back.
"""

import logging
import os
import socket
import threading
import time
from collections import deque
from typing import Any, Protocol, cast

from redis import ConnectionPool, RedisError
from redis.backoff import NoBackoff
from redis.retry import Retry

from knowledge_base_agent.records.background import Background
from knowledge_base_agent.records.stream import GAP, Entry, encode, xadd, xadd_head
from knowledge_base_agent.redaction import redact

LOG = logging.getLogger(__name__)
KEPT = 20_000  # entries a process keeps while Redis is away: about 6 MB
SEND_SECONDS = 0.02
ANSWER_SECONDS = 2.0
BREAK_SECONDS = 2.0
EVERY_SECONDS = 0.05
_AT_ONCE = 500
_SAY_EVERY_SECONDS = 60.0


class _Line(Protocol):
    """What is used of redis-py's connections, which it leaves untyped."""

    def connect(self) -> None: ...
    def disconnect(self) -> None: ...
    def send_packed_command(self, command: list[bytes], check_health: bool = True) -> None: ...
    def can_read(self, timeout: float = 0) -> bool: ...
    def read_response(self) -> Any: ...
    def update_current_socket_timeout(self, relaxed_timeout: float | None = None) -> None: ...


class Outbox:
    """The entries of one process on their way to the history stream. Thread and fork safe."""

    def __init__(self, url: str, *, key: str, cap: int) -> None:
        self._where = redact(url)
        retry = Retry(NoBackoff(), 0)
        self._pool = ConnectionPool.from_url(
            url, protocol=2, retry=retry, socket_timeout=0.5, socket_connect_timeout=0.5
        )
        self._head = xadd_head(key, cap)
        self._background = Background(
            self._work, forget=self._start_empty, every=EVERY_SECONDS, name="kb-history"
        )
        self._start_empty()

    def _start_empty(self) -> None:
        self._lock = threading.Lock()  # of the line and the queues; held for microseconds
        self._working = threading.Lock()  # of who dials: held for a second when Redis is away
        self._waiting: deque[bytes] = deque()
        self._unanswered: deque[bytes] = deque()
        self._line: _Line | None = None
        self._answered_at = 0.0
        self._dialled_at = -BREAK_SECONDS
        self._dropped = 0
        self._said_at = -_SAY_EVERY_SECONDS

    def put(self, entry: Entry, *, urgent: bool = False) -> None:
        """Take an entry. Never raises, and waits 20 ms at the very most, once per outage."""
        self._waiting.append(xadd(self._head, encode(entry)))
        if len(self._waiting) + len(self._unanswered) > KEPT:
            self._drop_oldest()
        # A lock that is not had at once is held by the thread, which is about to send all there is.
        if urgent and self._line is not None and self._lock.acquire(timeout=SEND_SECONDS):
            try:
                self._send()
            finally:
                self._lock.release()
        self._background.wake()

    def open(self) -> None:
        """Connect now, for half a second at most; what fails is tried again in the background."""
        with self._working:
            if self._line is None:
                self._dial()

    def flush(self, within: float) -> bool:
        """Send what waits and await the answers, for `within` seconds at most; tell whether all is answered."""
        end = time.monotonic() + within
        self._dialled_at = -BREAK_SECONDS
        while self._pending() and time.monotonic() < end:
            self._work()
            if self._pending():
                time.sleep(0.005)
        return not self._pending()

    def _pending(self) -> bool:
        return bool(self._waiting or self._unanswered)

    def _drop_oldest(self) -> None:
        # The newest say what a task is now; the oldest are what a reader misses least.
        with self._lock:
            for queue in (self._unanswered, self._waiting):
                if queue:
                    queue.popleft()
                    self._dropped += 1
                    if queue is self._unanswered:
                        self._hang_up("too many entries without an answer")
                    return

    def _work(self) -> bool:
        with self._working:
            if self._line is None and self._pending():
                self._dial()
            with self._lock:
                self._send()
                self._read_answers()
        return self._pending()

    def _dial(self) -> None:
        if time.monotonic() - self._dialled_at < BREAK_SECONDS:
            return
        self._dialled_at = time.monotonic()
        line = cast(_Line, self._pool.make_connection())
        try:
            line.connect()
            line.update_current_socket_timeout(SEND_SECONDS)
        except (RedisError, OSError) as error:
            self._say(error)
            return
        with self._lock:
            self._line = line
            if self._dropped:
                self._tell_of_gap()

    def _tell_of_gap(self) -> None:
        here = f"{socket.gethostname()}:{os.getpid()}"
        what = f"the process {here} could not reach the history for a while and kept the newest {KEPT} entries"
        now = time.time_ns() // 1000
        gap = Entry(GAP, "", now, retries=self._dropped, worker=here, error_message=what)
        self._waiting.append(xadd(self._head, encode(gap)))
        LOG.warning("History: %d entries of this process were dropped", self._dropped)
        self._dropped = 0

    def _send(self) -> None:
        while self._waiting and self._line is not None:
            if not self._unanswered:
                self._answered_at = time.monotonic()
            batch = [self._waiting.popleft() for _ in range(min(len(self._waiting), _AT_ONCE))]
            self._unanswered.extend(batch)
            try:
                self._line.send_packed_command([b"".join(batch)], check_health=False)
            except (RedisError, OSError) as error:
                self._hang_up(error)

    def _read_answers(self) -> None:
        line = self._line
        if line is None:
            return
        try:
            while self._unanswered and line.can_read(0):
                line.read_response()  # a refusal (out of memory, read-only, loading) is raised: tried again later
                self._unanswered.popleft()
                self._answered_at = time.monotonic()
        except (RedisError, OSError) as error:
            self._hang_up(error)
        if self._unanswered and time.monotonic() - self._answered_at > ANSWER_SECONDS:
            self._hang_up("it does not answer")

    def _hang_up(self, why: object) -> None:
        line, self._line = self._line, None
        if line is not None:
            line.disconnect()
        self._waiting.extendleft(reversed(self._unanswered))
        self._unanswered.clear()
        self._say(why)

    def _say(self, why: object) -> None:
        now = time.monotonic()
        if now - self._said_at >= _SAY_EVERY_SECONDS:
            self._said_at = now
            LOG.warning(
                "History: %s is away (%s); %d entries wait here",
                self._where,
                why,
                len(self._waiting),
            )
