"""A history Redis that is frozen, refused or gone: tasks must not notice, and nothing is lost in silence."""

import contextlib
import os
import signal
import time
from collections.abc import Iterator
from typing import Any

import pytest
from redis import Redis

from knowledge_base_agent.records import states
from knowledge_base_agent.records.outbox import Outbox
from knowledge_base_agent.records.stream import FIELD, GAP, HISTORY_KEY, Entry, decode
from tests.records.entries import entry, life
from tests.servers import Valkey, free_port, valkey_server
from tests.waiting import wait_until

CAP = 100_000


@pytest.fixture(scope="module")
def breakable() -> Iterator[Valkey]:
    """A Valkey that these tests may freeze."""
    with valkey_server() as server:
        yield server


def outbox(server: Valkey, database: int) -> Outbox:
    return Outbox(server.url(database), key=HISTORY_KEY, cap=CAP)


def arrived(server: Valkey, database: int) -> list[Entry]:
    with contextlib.closing(Redis.from_url(server.url(database))) as client:
        found: Any = client.xrange(HISTORY_KEY)
    return [decode(fields[FIELD]) for _, fields in found]


def slowest_put(box: Outbox, number: int, *, first: int = 0) -> float:
    """Put entries as tasks that start do, and return the longest that one had to wait, in seconds."""
    worst = 0.0
    for n in range(first, first + number):
        began = time.perf_counter()
        box.put(entry(states.STARTED, f"task-{n}"), urgent=True)
        worst = max(worst, time.perf_counter() - began)
    return worst


def test_a_start_is_in_the_stream_at_once_and_the_rest_within_a_moment(breakable: Valkey) -> None:
    box = outbox(breakable, 1)
    box.open()

    box.put(entry(states.STARTED, "urgent"), urgent=True)
    wait_until(lambda: len(arrived(breakable, 1)) == 1, within=0.1)
    for one in life("calm"):
        box.put(one)
    wait_until(lambda: len(arrived(breakable, 1)) == 5, within=2)

    assert [e.state for e in arrived(breakable, 1)][1:] == [
        "PENDING",
        "RECEIVED",
        "STARTED",
        "SUCCESS",
    ]


def test_a_frozen_redis_does_not_hold_tasks_up_and_gets_all_when_it_thaws(
    breakable: Valkey, caplog: pytest.LogCaptureFixture
) -> None:
    box = outbox(breakable, 2)
    box.open()
    waits: list[float] = []

    def tasks_start_until_it_is_noticed() -> bool:
        waits.append(slowest_put(box, 10, first=10 * len(waits)))
        return "is away" in caplog.text

    os.kill(breakable.process.pid, signal.SIGSTOP)
    try:
        wait_until(tasks_start_until_it_is_noticed, within=6)
        waits.append(slowest_put(box, 1_000, first=10 * len(waits)))
    finally:
        os.kill(breakable.process.pid, signal.SIGCONT)

    assert max(waits) < 0.3, "a task waited for the frozen Redis"
    # Entries may come twice, which the recorder does not mind; none may be missing.
    expected = 10 * (len(waits) - 1) + 1_000
    wait_until(lambda: len({e.id for e in arrived(breakable, 2)}) == expected, within=15)


def test_a_redis_that_is_not_there_costs_tasks_nothing() -> None:
    box = Outbox(f"redis://127.0.0.1:{free_port()}/0", key=HISTORY_KEY, cap=CAP)

    assert slowest_put(box, 2_000) < 0.3
    assert not box.flush(0.2)


def test_what_had_to_be_dropped_is_said_when_redis_is_back(
    breakable: Valkey, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("knowledge_base_agent.records.outbox.KEPT", 100)
    box = outbox(breakable, 3)
    os.kill(breakable.process.pid, signal.SIGSTOP)
    try:
        slowest_put(box, 1_000)
    finally:
        os.kill(breakable.process.pid, signal.SIGCONT)
    box.flush(5)

    wait_until(lambda: any(e.state == GAP for e in arrived(breakable, 3)))
    assert box.flush(2)
    found = arrived(breakable, 3)
    gaps = [e for e in found if e.state == GAP]
    told = {e.id for e in found if e.state != GAP}
    assert sum(gap.retries for gap in gaps) == 1_000 - len(told)
    assert "task-999" in told, "the newest say what a task is now"
    assert str(os.getpid()) in (gaps[0].worker or "")


def test_a_redis_without_memory_gets_what_it_refused_once_it_has_memory(breakable: Valkey) -> None:
    client = Redis.from_url(breakable.url(4))
    box = outbox(breakable, 4)
    box.open()
    client.config_set("maxmemory", "1")
    try:
        box.put(entry(states.STARTED, "refused"), urgent=True)
        wait_until(lambda: not box.flush(0.05))
    finally:
        client.config_set("maxmemory", "0")

    wait_until(lambda: [e.id for e in arrived(breakable, 4)] == ["refused"], within=10)


# A worker forks its children with our thread running, which is what this test is about.
@pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")
def test_a_forked_child_sends_its_own_entries_and_not_its_parents_again(breakable: Valkey) -> None:
    box = outbox(breakable, 5)
    box.open()
    box.put(entry(states.STARTED, "parent"), urgent=True)
    child = os.fork()
    if child == 0:
        box.open()
        box.put(entry(states.STARTED, "child"), urgent=True)
        os._exit(0 if box.flush(2) else 1)
    _, status = os.waitpid(child, 0)
    box.put(entry(states.SUCCESS, "parent", at=1), urgent=True)
    assert box.flush(2)

    assert os.waitstatus_to_exitcode(status) == 0
    assert sorted(e.id for e in arrived(breakable, 5)) == ["child", "parent", "parent"]
