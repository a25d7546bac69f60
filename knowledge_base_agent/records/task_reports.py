"""The writer behind `report_progress` and `log_line`: a background thread that coalesces and never holds a task up."""

import logging
import threading
import time
from collections import deque
from collections.abc import Mapping
from datetime import timedelta

from redis import Redis, RedisError
from redis.backoff import NoBackoff
from redis.retry import Retry

from knowledge_base_agent.records.background import Background
from knowledge_base_agent.records.task_ids import is_task_id
from knowledge_base_agent.records.task_logs import KEPT_LINES, encode_line, logs_key
from knowledge_base_agent.records.task_progress import progress_key
from knowledge_base_agent.redaction import redact, shorten

LOG = logging.getLogger(__name__)
EVERY_SECONDS = 0.25
_LINE_CHARACTERS = 4_000
_NOTE_CHARACTERS = 300
_KEPT_WHILE_AWAY = 5_000
_SAY_EVERY_SECONDS = 60.0
_AWAY_SECONDS = 2.0


class TaskReports:
    """Progress and log lines of this process's tasks, on their way to Redis. Thread and fork safe."""

    def __init__(self, *, progress_url: str, logs_url: str, keep: timedelta) -> None:
        self._urls = (progress_url, logs_url)
        self._keep = int(keep.total_seconds())
        self._background = Background(
            self._work, forget=self._start_empty, every=EVERY_SECONDS, name="kb-reports"
        )
        self._start_empty()

    def _start_empty(self) -> None:
        self._lock = threading.Lock()
        self._working = threading.Lock()
        self._progress: dict[str, dict[str, str]] = {}
        self._lines: deque[tuple[str, bytes]] = deque()
        self._lost_lines = 0
        self._try_at = 0.0
        self._said_at = -_SAY_EVERY_SECONDS
        self._clients = [_client(url) for url in self._urls]

    def progress(self, task_id: str, said: Mapping[str, float | str]) -> None:
        """Take what a task says about its progress; it replaces what it said before, field by field."""
        if not is_task_id(task_id):
            return
        texts = {name: shorten(redact(str(v)), _NOTE_CHARACTERS)[0] for name, v in said.items()}
        with self._lock:
            fields = self._progress.setdefault(task_id, {})
            fields |= texts
            fields["updated_at"] = f"{time.time():.6f}"
        self._background.wake()

    def log(self, task_id: str, *, level: str, text: str) -> None:
        """Take a line that a task logs, redacted and cut to 4,000 characters."""
        if not is_task_id(task_id):
            return
        line = shorten(redact(text), _LINE_CHARACTERS)[0]
        with self._lock:
            self._lines.append((task_id, encode_line(time=time.time(), level=level, text=line)))
            if len(self._lines) > _KEPT_WHILE_AWAY:
                self._lines.popleft()
                self._lost_lines += 1
        self._background.wake()

    def flush(self, within: float) -> bool:
        """Write what waits, for `within` seconds at most; tell whether nothing waits any more."""
        end = time.monotonic() + within
        self._try_at = 0.0
        while self._work() and time.monotonic() < end:
            time.sleep(0.01)
        return not self._pending()

    def _pending(self) -> bool:
        return bool(self._progress or self._lines)

    def _work(self) -> bool:
        with self._working:
            if time.monotonic() >= self._try_at:
                try:
                    self._write_progress()
                    self._write_lines()
                except (RedisError, OSError) as error:
                    self._try_at = time.monotonic() + _AWAY_SECONDS
                    self._say(error)
        return self._pending()

    def _write_progress(self) -> None:
        with self._lock:
            taken, self._progress = self._progress, {}
        if not taken:
            return
        pipeline = self._clients[0].pipeline(transaction=False)
        for task_id, fields in taken.items():
            pipeline.hset(progress_key(task_id), items=[x for pair in fields.items() for x in pair])
            pipeline.expire(progress_key(task_id), self._keep)
        try:
            pipeline.execute()
        except (RedisError, OSError):
            with self._lock:
                for task_id, fields in taken.items():
                    self._progress[task_id] = fields | self._progress.get(task_id, {})
            raise

    def _write_lines(self) -> None:
        with self._lock:
            taken = list(self._lines)
            self._lines.clear()
        if not taken:
            return
        try:
            self._push(taken)
        except (RedisError, OSError):
            with self._lock:
                self._lines.extendleft(reversed(taken))
            raise

    def _push(self, taken: list[tuple[str, bytes]]) -> None:
        by_task: dict[str, list[bytes]] = {}
        for task_id, line in taken:
            by_task.setdefault(task_id, []).append(line)
        # One transaction: tried again after a failure, lines come twice only when the answer was lost.
        pipeline = self._clients[1].pipeline(transaction=True)
        for task_id, lines in by_task.items():
            pipeline.rpush(logs_key(task_id), *lines)
            pipeline.ltrim(logs_key(task_id), -KEPT_LINES, -1)
            pipeline.expire(logs_key(task_id), self._keep)
        pipeline.execute()

    def _say(self, error: Exception) -> None:
        if time.monotonic() - self._said_at >= _SAY_EVERY_SECONDS:
            self._said_at = time.monotonic()
            LOG.warning(
                "Progress and logs of tasks cannot be written (%s); %d lines wait, %d were dropped",
                error,
                len(self._lines),
                self._lost_lines,
            )


def _client(url: str) -> Redis:
    retry = Retry(NoBackoff(), 0)
    return Redis.from_url(url, retry=retry, socket_timeout=0.5, socket_connect_timeout=0.5)
