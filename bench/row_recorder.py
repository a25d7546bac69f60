"""Row 6: the recorder: how many entries a second it brings into SQL, and whether any is lost at 25,000 of them."""

import time
from collections import Counter
from dataclasses import dataclass

import redis
from sqlalchemy import Engine

from bench.events_peer import kept_by_state
from bench.grounds import postgres, space, sqlite
from bench.history_source import EACH
from bench.measuring import megabytes
from bench.recording import RecorderProcess, fill, processor_seconds, recorder, source
from bench.rows import Figure, Goal, Outcome, Row, Scale, at_least, at_most
from knowledge_base_agent.records.database import open_engine, reading
from knowledge_base_agent.records.recorder_state import count_gaps, read_recorder_state
from knowledge_base_agent.records.stream import HISTORY_KEY, LEASE_KEY, decode
from knowledge_base_agent.records.stream_reader import Position, read_batch
from knowledge_base_agent.records.task_history import counts, counts_by_scan
from tests.servers import RedisSpace
from tests.waiting import wait_until

_A_SECOND = 25_000
_BATCH = 4_000
_PEER_SECONDS = 20


@dataclass(frozen=True, kw_only=True)
class _Capacity:
    """Entries a second while more wait than can be written."""

    written: float
    by_processor: float
    """For each second that the recorder had a processor: what a core of its own would give."""
    decoded: float
    """Read, decoded and counted, and nothing else."""


@dataclass(frozen=True, kw_only=True)
class _Sustained:
    """What came of a steady stream, with the recorder killed in the middle and started again."""

    lost: int
    behind: float
    """Seconds by which the recorder was behind at most before it was killed."""
    caught_up: float
    """Seconds from its new start until all was recorded that had been told."""
    growth: float
    """MB of memory for each million entries."""
    late: float
    """Seconds by which the source itself was behind its pace at most."""


def _recorded(engine: Engine) -> int:
    with reading(engine) as connection:
        state = read_recorder_state(connection)
    return 0 if state is None else state.position


def _lost(engine: Engine, tasks: int) -> int:
    """Return how many tasks are not as their last entry says; raises where counters and rows differ, or at a gap."""
    with reading(engine) as connection:
        kept, scanned, gaps = counts(connection), counts_by_scan(connection), count_gaps(connection)
    assert dict(kept) == dict(scanned), f"the counters differ from a count of the rows: {kept}"
    assert not gaps, f"{gaps} gaps in the history"
    return tasks - kept.get("SUCCESS", 0)


def _capacity(database_url: str, tasks: int) -> _Capacity:
    engine = open_engine(database_url, deadline=600)
    with space() as ground:
        fill(ground.progress_url, tasks)
        decoded = _decoded(ground.progress_url)
        with recorder(database_url, ground.progress_url) as ours:
            pid = ours.start()
            wait_until(lambda: _recorded(engine) > tasks * EACH // 5, within=120, what="a fifth")
            began, before, used = time.perf_counter(), _recorded(engine), processor_seconds(pid)
            wait_until(
                lambda: _recorded(engine) == tasks * EACH, within=600, what="all is recorded"
            )
            took, used = time.perf_counter() - began, processor_seconds(pid) - used
        assert not _lost(engine, tasks)
    engine.dispose()
    many = tasks * EACH - before
    return _Capacity(written=many / took, by_processor=many / used, decoded=decoded)


def _decoded(url: str) -> float:
    client = redis.Redis.from_url(url)
    seen: Counter[str] = Counter()
    position = Position()
    began = time.perf_counter()
    while (batch := read_batch(client, position, count=_BATCH)).payloads:
        seen.update(decode(payload).state for payload in batch.payloads)
        position = batch.after
    took = time.perf_counter() - began
    client.close()
    return seen.total() / took


def _sustained(database_url: str, scale: Scale) -> _Sustained:
    rate, seconds = scale.choose(_A_SECOND, 4_000), scale.choose(60, 2)
    engine = open_engine(database_url, deadline=600)
    with space() as ground, recorder(database_url, ground.progress_url) as ours:
        found = _under(ours, engine, ground, rate, seconds)
    engine.dispose()
    return found


def _under(
    ours: RecorderProcess, engine: Engine, ground: RedisSpace, rate: int, seconds: int
) -> _Sustained:
    url, tasks = ground.progress_url, rate * seconds // EACH
    client = redis.Redis.from_url(url, socket_timeout=10)
    pid = ours.start()
    wait_until(lambda: client.exists(LEASE_KEY), within=60, what="the recorder is active")
    with source(url, tasks, rate) as told:
        _follow(client, engine, tasks * EACH // 6)
        first, held = _recorded(engine), megabytes(pid)
        behind = _follow(client, engine, tasks * EACH * 3 // 4) / rate
        growth = (megabytes(pid) - held) / (_recorded(engine) - first) * 1e6
        ours.kill()
        ours.start()
        again = time.monotonic()
        assert told.wait(timeout=600) == 0
        assert told.stdout is not None
        late = float(told.stdout.read().split()[1])
    wait_until(lambda: _recorded(engine) == tasks * EACH, within=600, what="all is recorded")
    caught_up = time.monotonic() - again
    client.close()
    lost = _lost(engine, tasks)
    return _Sustained(lost=lost, behind=behind, caught_up=caught_up, growth=growth, late=late)


def _follow(client: redis.Redis, engine: Engine, until: int) -> int:
    """Wait until so many entries have been told; return how many were told and not recorded at most."""
    most = 0

    def told() -> bool:
        nonlocal most
        info: dict[str, int] = (
            client.xinfo_stream(HISTORY_KEY) if client.exists(HISTORY_KEY) else {}
        )
        added = info.get("entries-added", 0)
        most = max(most, added - _recorded(engine))
        return added >= until

    wait_until(told, within=600, what=f"{until} entries are told")
    return most


def _of_the_peer() -> list[Figure]:
    events = _A_SECOND * _PEER_SECONDS
    with space() as ground:
        taken = kept_by_state(ground.broker_url, events, _A_SECOND)
    missed = 100 * (1 - taken.events / events)
    each = taken.processor_seconds / max(1, taken.events) * 1e6
    return [
        Figure(label="Celery's `State`: lost at the same pace", value=f"{missed:.0f} %"),
        Figure(label="Celery's `State`: processor time of an event", value=f"{each:.0f} µs"),
    ]


def _of(name: str, capacity: _Capacity, held: _Sustained) -> tuple[list[Figure], list[Goal]]:
    figures = [
        Figure(label=f"{name}: entries a second", value=f"{capacity.written:,.0f}"),
        Figure(
            label=f"{name}: entries for each second of a processor",
            value=f"{capacity.by_processor:,.0f}",
        ),
        Figure(label="floor: decoded and counted a second", value=f"{capacity.decoded:,.0f}"),
        Figure(label=f"{name}: behind at most, before the kill", value=f"{held.behind:.2f} s"),
        Figure(label=f"{name}: caught up after the kill", value=f"{held.caught_up:.1f} s"),
        Figure(label=f"{name}: the source was late at most", value=f"{held.late:.2f} s"),
    ]
    thousands = capacity.written / 1000
    goals = [
        at_least(f"{name}: into SQL", thousands, 25, smoke=1, unit="thousand a second"),
        at_most(f"{name}: lost", held.lost, 0, smoke=0, unit="tasks"),
        at_most(f"{name}: memory", held.growth, 10, smoke=2_000, unit="MB a million entries"),
    ]
    return figures, goals


def _recording(scale: Scale) -> Outcome:
    figures: list[Figure] = []
    goals: list[Goal] = []
    costs: dict[str, float] = {}
    grounds = (("SQLite", sqlite), ("PostgreSQL", postgres))
    for name, ground in grounds[: scale.choose(2, 1)]:
        with ground() as url:
            capacity = _capacity(url, scale.choose(100_000, 3_000))
        with ground() as url:
            more = _of(name, capacity, _sustained(url, scale))
        costs[f"entries a second, {name}"] = capacity.written
        figures += more[0]
        goals += more[1]
    if not scale.smoke:
        figures += _of_the_peer()
    return Outcome(figures=tuple(figures), goals=tuple(goals), costs=costs)


RECORDING = Row(number=6, title="The recorder", run=_recording, needs=("PostgreSQL",))
