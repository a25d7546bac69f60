"""Entries about questions, written to the audit in the background: nobody waits, and none is lost in silence."""

import threading
from collections import deque
from collections.abc import Sequence

from sqlalchemy import Engine

from knowledge_base_agent.audit import Entry, Kind, values_of, write
from knowledge_base_agent.problems import Away, MaybeWritten
from knowledge_base_agent.process_log import lines
from knowledge_base_agent.records.audit_chain import is_there
from knowledge_base_agent.records.database import writing

log = lines()
_SPOOL_LIMIT = 10_000
_BATCH = 100
_RETRY_SECONDS = 1.0
_GATHERED_SECONDS = 0.1
"""So long after the first entry a batch is written: that a question was asked goes with its answer, and not before
it, when the person waits for it and the processor has enough to do."""
_UNHURRIED = frozenset({Kind.REQUESTED, Kind.ANSWERED})
"""What may wait to be written with others."""


class Spool:
    """Writes entries in order, each once, for as long as it takes.

    Bounded: beyond 10,000 waiting entries each further one goes to the log alone, which says so. So does one that the
    database refuses, which costs no other, and what is left at the end.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._waiting: deque[Entry] = deque()
        self._in_hand: Sequence[Entry] = ()
        self._news = threading.Condition()
        self._closing = threading.Event()
        self._ended = False
        self._refused = False
        self.trouble = ""
        """Why something could not be written, or had to wait: the last time."""
        self._thread = threading.Thread(target=self._work, name="audit-spool", daemon=True)
        self._thread.start()

    def add(self, entry: Entry) -> None:
        """Take an entry, without waiting."""
        with self._news:
            if len(self._waiting) < _SPOOL_LIMIT and not self._ended:
                self._waiting.append(entry)
                self._news.notify()
                return
        why = "it came after the end" if self._ended else "the database has been away too long"
        log.error("audit entry not kept", reason=why, **values_of(entry))

    def close(self, within: float = 3.0) -> bool:
        """Write what waits, for `within` seconds at most; False if some of it could not be written, which is logged."""
        self._closing.set()
        with self._news:
            self._news.notify()
        self._thread.join(within)
        with self._news:
            self._ended = True
            left = [*self._in_hand, *self._waiting]
        if left:
            log.warning("audit entries lost at exit", entries=[values_of(one) for one in left])
        return not (left or self._refused)

    def _work(self) -> None:
        while batch := self._next():
            if not self._written(batch):
                return

    def _next(self) -> Sequence[Entry]:
        """Wait for entries and return them, at most a batch; none when it is closing and all are written."""
        with self._news:
            self._in_hand = ()
            self._news.wait_for(lambda: self._waiting or self._closing.is_set())
            self._news.wait_for(self._pressing, timeout=_GATHERED_SECONDS)
            number = min(_BATCH, len(self._waiting))
            self._in_hand = [self._waiting.popleft() for _ in range(number)]
            return self._in_hand

    def _pressing(self) -> bool:
        """Tell whether what waits is to be written now: a refusal stands before what is done next."""
        enough = self._closing.is_set() or len(self._waiting) >= _BATCH
        return enough or any(entry.kind not in _UNHURRIED for entry in self._waiting)

    def _written(self, batch: Sequence[Entry]) -> bool:
        """Write a batch, or one by one what can be written of it; False when it is time to give up."""
        try:
            return self._persisted(batch)
        except Exception as error:
            if len(batch) == 1:
                self._refused, self.trouble = True, f"it was refused ({type(error).__name__})."
                log.exception("audit entry could not be written", **values_of(batch[0]))
                return True
        for number, entry in enumerate(batch):
            self._in_hand = batch[number:]
            if not self._written([entry]):
                return False
        return True

    def _persisted(self, batch: Sequence[Entry]) -> bool:
        """Write a batch, however long the database is away; False when it is time to give up."""
        warned = doubted = False
        while True:
            try:
                with writing(self._engine) as connection:
                    if not (doubted and is_there(connection, values_of(batch[0]))):
                        write(connection, *batch)
            except Away as problem:
                self.trouble = problem.what
                doubted = doubted or isinstance(problem, MaybeWritten)
                if not warned:
                    log.warning("audit entries wait for the database", reason=problem.what)
                warned = True
                if self._closing.wait(_RETRY_SECONDS):
                    return False
            else:
                return True
