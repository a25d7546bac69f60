"""Runs of operations that change something: started before the first effect, beating while alive, ended at the end.

A run whose process stops beating without an end is *interrupted*: nobody knows what it did. It is announced and never
started again by itself.
"""

import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from enum import Enum

from msgspec import Struct
from sqlalchemy import Connection, Engine, RowMapping, case, func, insert, select, true, update

from knowledge_base_agent.actors import Actor
from knowledge_base_agent.clock import utc_now
from knowledge_base_agent.problems import Away, NotFound, TooLate
from knowledge_base_agent.process_log import lines
from knowledge_base_agent.records.database import writing
from knowledge_base_agent.records.road_tables import RUNS
from knowledge_base_agent.redaction import plain

log = lines()
_BEAT_SECONDS = 5.0
SILENT_AFTER = timedelta(seconds=30)
"""A run that has not beaten for this long has lost its process."""


class State(Enum):
    """Where a run stands. Only STARTED may be followed by another, and INTERRUPTED by what a person decides."""

    STARTED = "started"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    INTERRUPTED = "interrupted"
    RESUMED = "resumed"
    """Another run goes on with what was left of it."""
    ABANDONED = "abandoned"


class Run(Struct, frozen=True, kw_only=True):
    """One run's row. Times are aware UTC."""

    number: int
    operation: str
    words: str
    actor_id: str
    actor_name: str
    surface: str
    state: State
    started_at: datetime
    beat_at: datetime
    ended_at: datetime | None
    outcome: str
    place: str
    message: str
    asked: str
    """What names the same operation with the same arguments; empty for runs from before this was kept."""
    scope: str
    """The fingerprint of what the preview has shown, or empty."""

    @property
    def id(self) -> str:
        """Its name among people: `op-12`, short enough to say aloud."""
        return f"op-{self.number}"


def start(
    connection: Connection,
    actor: Actor,
    *,
    operation: str,
    words: str,
    place: str = "",
    message: str = "",
    asked: str = "",
    scope: str = "",
) -> Run:
    """Write that a run has started. It must commit before the first effect."""
    now = utc_now()
    values = {
        "operation": operation, "words": plain(words, 1000), "actor_id": actor.id,
        "actor_name": plain(actor.name, 200), "surface": actor.surface.value,
        "state": State.STARTED.value, "started_at": now, "beat_at": now, "outcome": "",
        "place": place, "message": message, "asked": asked, "scope": scope,
    }  # fmt: skip
    row = connection.execute(insert(RUNS).values(values).returning(RUNS)).mappings().one()
    return _from_row(row)


def _from_row(row: RowMapping) -> Run:
    return Run(**{**row, "state": State(row["state"])})


def number_of(run_id: str) -> int:
    """Return the number in `op-12`. Raises `NotFound` for anything else."""
    head, _, tail = run_id.partition("-")
    if head != "op" or not (tail.isascii() and tail.isdigit()) or len(tail) > 15:
        raise NotFound(f"There is no run “{plain(run_id, 40)}”.", "Runs are named like op-12.")
    return int(tail)


def read_run(connection: Connection, run_id: str) -> Run:
    """Return a run. Raises `NotFound`."""
    query = select(RUNS).where(RUNS.c.number == number_of(run_id))
    row = connection.execute(query).mappings().one_or_none()
    if row is None:
        raise NotFound(f"There is no run “{plain(run_id, 40)}”.", "Runs are named like op-12.")
    return _from_row(row)


def is_over(run: Run) -> bool:
    """Tell whether a run has ended, or its process has been silent for too long to be alive."""
    return run.state is not State.STARTED or run.beat_at < utc_now() - SILENT_AFTER


def listed(
    connection: Connection, *, since: datetime | None, limit: int
) -> tuple[tuple[Run, ...], int]:
    """Return runs, and how many there are: those that go on, the interrupted, and what started since (None: ever)."""
    unsettled = RUNS.c.state.in_((State.STARTED.value, State.INTERRUPTED.value))
    meant = true() if since is None else unsettled | (RUNS.c.started_at >= since)
    first = case((RUNS.c.state == State.STARTED.value, 0), (unsettled, 1), else_=2)
    query = select(RUNS).where(meant).order_by(first, RUNS.c.number.desc()).limit(limit)
    found = tuple(_from_row(row) for row in connection.execute(query).mappings())
    total = connection.execute(select(func.count()).select_from(RUNS).where(meant)).scalar_one()
    return found, total


def settle_interrupted(connection: Connection, run_id: str, state: State, by: str) -> Run:
    """Write what was decided of an interrupted run. Raises `TooLate` for everyone but the first, `NotFound`."""
    row = (
        connection.execute(
            update(RUNS)
            .where(RUNS.c.number == number_of(run_id), RUNS.c.state == State.INTERRUPTED.value)
            .values(state=state.value, outcome=RUNS.c.outcome + "; " + plain(by, 300))
            .returning(RUNS)
        )
        .mappings()
        .first()
    )
    if row is None:
        now = read_run(connection, run_id)
        raise TooLate(
            f"{run_id} is {now.state.value} already: {now.outcome}", "`ops` lists the runs."
        )
    return _from_row(row)


def running_for(connection: Connection, asked: str) -> Run | None:
    """Return the run of this that goes on, or None. One whose process no longer says that it lives does not."""
    alive = (RUNS.c.state == State.STARTED.value) & (RUNS.c.beat_at >= utc_now() - SILENT_AFTER)
    query = select(RUNS).where(alive, RUNS.c.asked == asked).order_by(RUNS.c.number.desc()).limit(1)
    row = connection.execute(query).mappings().first()
    return _from_row(row) if row is not None and asked else None


def disturbing(connection: Connection, operations: Iterable[str], since: datetime) -> Run | None:
    """Return a run of one of these that goes on, or has ended since (aware UTC, by this process's clock), or None."""
    alive = (RUNS.c.state == State.STARTED.value) & (RUNS.c.beat_at >= utc_now() - SILENT_AFTER)
    meant = RUNS.c.operation.in_(tuple(operations)) & (alive | (RUNS.c.ended_at >= since))
    query = select(RUNS).where(meant).order_by(RUNS.c.number.desc()).limit(1)
    row = connection.execute(query).mappings().first()
    return None if row is None else _from_row(row)


def latest_of(connection: Connection, actor_id: str) -> Run | None:
    """Return the last run that this person has started, or None."""
    mine = select(RUNS).where(RUNS.c.actor_id == actor_id).order_by(RUNS.c.number.desc()).limit(1)
    row = connection.execute(mine).mappings().first()
    return None if row is None else _from_row(row)


def end(connection: Connection, run_id: str, state: State, outcome: str) -> None:
    """Write how a run ended. A run that was declared interrupted meanwhile gets its true end."""
    connection.execute(
        update(RUNS)
        .where(RUNS.c.number == number_of(run_id))
        .values(state=state.value, ended_at=utc_now(), outcome=plain(outcome, 2000))
    )


def declare_interrupted(connection: Connection) -> tuple[Run, ...]:
    """Mark runs whose process is silent as interrupted, and return those that this call marked."""
    now = utc_now()
    silent = (RUNS.c.state == State.STARTED.value) & (RUNS.c.beat_at < now - SILENT_AFTER)
    rows = connection.execute(
        update(RUNS)
        .where(silent)
        .values(state=State.INTERRUPTED.value, ended_at=now, outcome="its process is gone")
        .returning(RUNS)
    )
    return tuple(_from_row(row) for row in rows.mappings())


@contextmanager
def beating(engine: Engine, run_id: str) -> Iterator[None]:
    """Keep saying that this run's process lives, every 5 s, until the block ends."""
    over = threading.Event()
    mine = update(RUNS).where(RUNS.c.number == number_of(run_id))

    def beat() -> None:
        while not over.wait(_BEAT_SECONDS):
            try:
                with writing(engine) as connection:
                    connection.execute(mine.values(beat_at=utc_now()))
            except Away as problem:
                log.warning("a run could not say that it lives", run=run_id, reason=problem.what)

    thread = threading.Thread(target=beat, name=f"beat-{run_id}", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
