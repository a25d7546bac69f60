"""Entries for tests, put into the stream the way tracked processes do."""

import itertools
from collections.abc import Iterable
from datetime import UTC, datetime

from redis import Redis
from sqlalchemy import Engine, text

from knowledge_base_agent.records import states
from knowledge_base_agent.records.database import reading
from knowledge_base_agent.records.recorder_state import read_recorder_state
from knowledge_base_agent.records.stream import FIELD, HISTORY_KEY, Entry, encode
from knowledge_base_agent.records.task_history import counts, counts_by_scan

NOON = int(datetime(2026, 3, 1, 12, tzinfo=UTC).timestamp() * 1_000_000)
SECOND = 1_000_000
_NUMBERS = itertools.count(1)


def entry(state: str, task_id: str = "task", at: float = 0, **more: object) -> Entry:
    """Return an entry `at` seconds after noon of a certain day."""
    values = {"name": "history.add", "worker": "worker@host", **more}
    return Entry(state, task_id, NOON + int(at * SECOND), **values)  # type: ignore[arg-type]


def life(task_id: str | None = None, end: str = states.SUCCESS) -> list[Entry]:
    """Return what is told of a task that runs once, in order."""
    task_id = task_id or f"task-{next(_NUMBERS)}"
    stages = [states.PENDING, states.RECEIVED, states.STARTED, end]
    return [entry(state, task_id, at=second) for second, state in enumerate(stages)]


def add_to_stream(client: Redis, entries: Iterable[Entry], *, cap: int | None = None) -> None:
    """Add entries to the history stream, exactly capped where a cap is given."""
    pipeline = client.pipeline(transaction=False)
    for one in entries:
        pipeline.xadd(HISTORY_KEY, {FIELD: encode(one)}, maxlen=cap, approximate=False)
    pipeline.execute()


def recorded(engine: Engine) -> dict[str, int]:
    """Return the counters by state, having checked them against the rows."""
    with reading(engine) as connection:
        if (
            engine.dialect.name == "postgresql"
        ):  # both figures from one snapshot, as SQLite has it anyway
            connection.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"))
        kept, scanned = dict(counts(connection)), dict(counts_by_scan(connection))
    assert kept == scanned
    return kept


def caught_up(engine: Engine, client: Redis) -> bool:
    """Tell whether the recorder has recorded all that is in the stream."""
    newest = client.xinfo_stream(HISTORY_KEY) if client.exists(HISTORY_KEY) else None
    with reading(engine) as connection:
        state = read_recorder_state(connection)
    if state is None or not isinstance(newest, dict):
        return False
    return bool(newest["last-generated-id"].decode() == state.last_id)
