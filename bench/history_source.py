"""What tracked tasks write into the history stream: `python -m bench.history_source URL TASKS A_SECOND`.

Four entries of each task, as `track` writes them: published, and later received, started and succeeded, with others'
between them. With 0 a second they are written as fast as Redis takes them. It prints one line when all are written: the
seconds that it took, and how many seconds it was late at most.
"""

import random
import sys
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from uuid import UUID

from knowledge_base_agent.records.history_line import HistoryLine, HistoryLines
from knowledge_base_agent.records.stream import HISTORY_KEY, Entry, encode, xadd_head, xadds
from knowledge_base_agent.records.tracking import DEFAULT_CAP

EACH = 4
"""Entries of one task."""
_WAITING = 5_000
"""Tasks that are published and not yet received: most tasks are thus written in two batches of the recorder."""
_AT_ONCE = 250


@dataclass(frozen=True, kw_only=True)
class _Task:
    id: str
    number: int

    def entry(self, state: str) -> Entry:
        """Return what is told of it now."""
        now = time.time_ns() // 1000
        worker, child = f"w{self.number % 16}@host", 1_000 + self.number % 64
        args = f"({self.number}, 'c-{self.number}')" if state in {"PENDING", "RECEIVED"} else None
        at_worker = state != "PENDING"
        return Entry(
            state,
            self.id,
            now,
            "shop.pay",
            queue="celery",
            worker=worker if at_worker else None,
            process_id=child if state in {"STARTED", "SUCCESS"} else None,
            root_id=self.id,
            args_repr=args,
        )


def entries(tasks: int, seed: int) -> Iterator[Entry]:
    """Yield the entries of so many tasks in the order in which they would be told."""
    chance = random.Random(seed)
    waiting: deque[_Task] = deque()
    waits = min(_WAITING, tasks)
    for number in range(tasks + waits):
        if number < tasks:
            waiting.append(_Task(id=str(UUID(int=chance.getrandbits(128))), number=number))
            yield waiting[-1].entry("PENDING")
        if number >= waits:
            task = waiting.popleft()
            for state in ("RECEIVED", "STARTED", "SUCCESS"):
                yield task.entry(state)


def write(url: str, tasks: int, a_second: int) -> tuple[float, float]:
    """Write them; return the seconds that it took, and by how many it was behind its pace at most."""
    head = xadd_head(HISTORY_KEY, DEFAULT_CAP)
    line = HistoryLines(url).dial()
    told = entries(tasks, seed=tasks)
    began = time.monotonic()
    late, sent, answered = 0.0, 0, 0
    while batch := xadds(head, map(encode, islice(told, _AT_ONCE))):
        due = began + sent / a_second if a_second else began
        late = max(late, time.monotonic() - due) if a_second else late
        time.sleep(max(0.0, due - time.monotonic()))
        sent += _AT_ONCE
        answered += _give(line, batch)
    while answered < tasks * EACH:
        answered += line.answers()
        time.sleep(0.001)
    line.close()
    return time.monotonic() - began, late


def _give(line: HistoryLine, packed: bytes) -> int:
    answered = 0
    while not line.send(packed):
        answered += line.answers()
        packed = b""
        time.sleep(0.001)
    return answered + line.answers()


if __name__ == "__main__":
    seconds, behind = write(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
    sys.stdout.write(f"{seconds:.3f} {behind:.3f}\n")
