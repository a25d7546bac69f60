"""Getting history entries out of a process without making its tasks wait.

A background thread sends what is put within 50 ms, reads the answers, and reconnects. An entry that is urgent (a task
starts) must not depend on it: in a pool's child it is noted where the parent sees it (see `child_notes.py`), elsewhere
it is written to the socket at once, together with all that waits, and without reading an answer. What has no answer yet
is kept, and sent again on the next connection: a repeated entry changes nothing in the recorder. Nothing here blocks on
a Redis that is frozen or away, but the background thread.
"""

import logging
import os
import socket
import threading
import time
from collections import deque

from redis import RedisError

from knowledge_base_agent.records.background import Background
from knowledge_base_agent.records.child_notes import Notes
from knowledge_base_agent.records.history_line import HistoryLine, HistoryLines
from knowledge_base_agent.records.stream import GAP, Entry, encode, xadd_head, xadds
from knowledge_base_agent.redaction import redact

LOG = logging.getLogger(__name__)
KEPT = 20_000  # entries a process keeps while Redis is away: about 6 MB
ANSWER_SECONDS = 2.0
DIAL_EVERY_SECONDS = 2.0
EVERY_SECONDS = 0.05
_LOCK_SECONDS = 0.02
_AT_ONCE = 500
_SAY_EVERY_SECONDS = 60.0


class Outbox:
    """The entries of one process on their way to the history stream. Thread and fork safe."""

    def __init__(self, url: str, *, key: str, cap: int) -> None:
        self._where = redact(url)
        self._lines = HistoryLines(url)
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
        self._line: HistoryLine | None = None
        self._notes: Notes | None = None
        self._answered_at = 0.0
        self._dialled_at = -DIAL_EVERY_SECONDS
        self._dropped = 0
        self._said_at = -_SAY_EVERY_SECONDS

    def put(self, entry: Entry, *, urgent: bool = False) -> None:
        """Take an entry. Never raises, and never waits for Redis."""
        self.put_encoded(encode(entry), urgent=urgent)

    def put_encoded(self, payload: bytes, *, urgent: bool = False) -> None:
        """Take an entry as `encode` writes it."""
        # A lock that is not had at once is held by the thread, which is about to send all there is.
        wanted = urgent or self._notes is not None
        locked = wanted and (self._lock.acquire(False) or self._lock.acquire(timeout=_LOCK_SECONDS))
        self._waiting.append(payload)
        if locked:
            try:
                noted = self._notes is not None and self._notes.add(payload)
                if urgent and not noted and self._line is not None:
                    self._send()
            finally:
                self._lock.release()
        if len(self._waiting) + len(self._unanswered) > KEPT:
            self._drop_oldest()
        self._background.wake()

    def note_in(self, notes: Notes | None) -> None:
        """Note from now on what is put until it is sent, for this process's parent to see; None: have no such notes."""
        self._notes = notes

    @property
    def noting(self) -> bool:
        """Whether this is a pool's child, whose parent sees what it puts."""
        return self._notes is not None

    def open(self) -> None:
        """Connect now, for about a second at most; what fails is tried again in the background."""
        with self._working:
            if self._line is None:
                self._dial()

    def flush(self, within: float) -> bool:
        """Send what waits and await the answers, for `within` seconds at most; tell whether all is answered."""
        end = time.monotonic() + within
        self._dialled_at = -DIAL_EVERY_SECONDS
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
            if self._unanswered:
                self._hang_up("too many entries without an answer")
            if self._waiting:
                self._waiting.popleft()
                self._dropped += 1

    def _work(self) -> bool:
        with self._working:
            if self._line is None and self._pending():
                self._dial()
            with self._lock:
                self._send()
                self._read_answers()
        return self._pending()

    def _dial(self) -> None:
        if time.monotonic() - self._dialled_at < DIAL_EVERY_SECONDS:
            return
        self._dialled_at = time.monotonic()
        try:
            line = self._lines.dial()
        except (RedisError, OSError) as error:
            self._say(error)
            return
        with self._lock:
            self._line = line
            if self._dropped:
                self._tell_of_gap()

    def _tell_of_gap(self) -> None:
        here = f"{socket.gethostname()}:{os.getpid()}"
        what = f"the process {here} could not reach the history and kept its newest {KEPT} entries"
        now = time.time_ns() // 1000
        gap = Entry(GAP, "", now, retries=self._dropped, worker=here, error_message=what)
        self._waiting.append(encode(gap))
        LOG.warning("History: %d entries of this process were dropped", self._dropped)
        self._dropped = 0

    def _send(self) -> None:
        while self._waiting and self._has_room():
            if not self._unanswered:
                self._answered_at = time.monotonic()
            batch = [self._waiting.popleft() for _ in range(min(len(self._waiting), _AT_ONCE))]
            self._unanswered.extend(batch)
            self._try_to_send(xadds(self._head, batch))
        if self._notes is not None and not self._waiting and self._has_room():
            self._notes.clear()

    def _has_room(self) -> bool:
        return self._try_to_send(b"")

    def _try_to_send(self, packed: bytes) -> bool:
        if self._line is None:
            return False
        try:
            return self._line.send(packed)
        except (RedisError, OSError) as error:
            self._hang_up(error)
            return False

    def _read_answers(self) -> None:
        self._try_to_send(b"")  # what the socket did not take the last time
        if self._line is None or not self._unanswered:
            return
        try:
            answered = (
                self._line.answers()
            )  # a refusal (memory, read-only, loading) is raised: tried again later
        except (RedisError, OSError) as error:
            self._hang_up(error)
            return
        for _ in range(min(answered, len(self._unanswered))):
            self._unanswered.popleft()
        if answered:
            self._answered_at = time.monotonic()
        elif time.monotonic() - self._answered_at > ANSWER_SECONDS:
            self._hang_up("it does not answer")

    def _hang_up(self, why: object) -> None:
        line, self._line = self._line, None
        if line is not None:
            line.close()
        self._waiting.extendleft(reversed(self._unanswered))
        self._unanswered.clear()
        self._say(why)

    def _say(self, why: object) -> None:
        now = time.monotonic()
        if now - self._said_at >= _SAY_EVERY_SECONDS:
            self._said_at = now
            waiting = len(self._waiting)
            LOG.warning("History: %s is away (%s); %d entries wait here", self._where, why, waiting)
