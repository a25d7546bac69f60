"""What is queued, by task: a few are counted, many are estimated and called so, and `--exact` reads every message."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from knowledge_base_agent.fleet import list_reading
from knowledge_base_agent.fleet.deadline import Deadline
from knowledge_base_agent.fleet.queue_contents import Counted, estimated
from knowledge_base_agent.fleet.sampling import UNNAMED
from knowledge_base_agent.problems import Misunderstood, NotFound
from knowledge_base_agent.records.migrate import migrate
from knowledge_base_agent.report import Report, Table
from tests.operations.crew import Crew, crew
from tests.operations.place import notes, shell_on
from tests.records.deployment import settings_for
from tests.servers import RedisSpace, RedisSpaces, rabbitmq_vhost
from tests.undo.seen import connected


@pytest.fixture
def alone(redis_space: RedisSpace, tmp_path: Path) -> Iterator[Crew]:
    """Somebody at the shell; nobody takes what is published."""
    with crew(redis_space, tmp_path) as found:
        yield found


def deep(shell: Crew, space: RedisSpace, *, naps: int, quick: int) -> None:
    """Queue so many messages of two tasks, well mixed."""
    shell.send("nap")
    shell.send("quick")
    with connected(space.broker_url) as client:
        one, other = reversed(client.lrange("celery", 0, -1))
        client.delete("celery")
        every = naps // quick + 1
        client.rpush("celery", *(other if n % every == 0 else one for n in range(naps + quick)))


def cells(report: Report) -> list[tuple[object, ...]]:
    """Return the table's rows."""
    (found,) = [part for part in report.parts if isinstance(part, Table)]
    return [row.cells for row in found.rows]


def test_a_few_messages_are_counted_in_every_priority_whatever_they_are(
    alone: Crew, redis_space: RedisSpace
) -> None:
    for priority in (0, 3, 9):
        alone.send("nap", priority=priority)
    alone.send("quick")
    with connected(redis_space.broker_url) as client:
        client.lpush("celery", b"\x80\x04no message at all.")
    report = alone.asks("queued")
    assert "celery: 5 waiting, 3 tiny.nap, 1 tiny.quick, 1 unnamed." in report.text
    assert ("celery", "tiny.nap", "60.0%", 3) in cells(report)


def test_many_messages_are_estimated_and_each_figure_says_how_far_it_may_be_off(
    alone: Crew, redis_space: RedisSpace
) -> None:
    deep(alone, redis_space, naps=4_000, quick=1_000)
    report = alone.asks("queued celery")
    assert "celery: 5,000 waiting, ≈ " in report.text
    assert " ± " in report.text
    assert "an estimate from" in notes(report)
    assert "`--exact` counts them all" in notes(report)
    assert report.data["queues"]["celery"]["estimated"] is True  # type: ignore[index]
    share, error = report.data["queues"]["celery"]["shares"]["tiny.nap"]  # type: ignore[index]
    assert 0 < error < 0.1
    assert abs(share - 0.8) <= 2.5 * error


def test_asked_for_exactly_every_message_is_read(alone: Crew, redis_space: RedisSpace) -> None:
    deep(alone, redis_space, naps=4_000, quick=1_000)
    report = alone.asks("queued celery --exact")
    assert "celery: 5,000 waiting, 4,000 tiny.nap, 1,000 tiny.quick." in report.text
    assert "≈" not in str(report)
    assert report.data["queues"]["celery"]["exact"] is True  # type: ignore[index]


def test_no_message_hides_another_from_a_count_nor_poses_as_two(
    alone: Crew, redis_space: RedisSpace
) -> None:
    alone.send("quick")
    alone.send("nap", "x" * 200_000)
    two_halves = b'{"headers": {"task": "half"}, "more": [1', b"2]}"
    unreadable = [
        b"\x80\x04",
        b"",
        b"{} {}",
        b'{"headers": {"task": 7}}',
        b"[" * 5_000,
        *two_halves,
    ]
    with connected(redis_space.broker_url) as client:
        large, quick = client.lrange("celery", 0, -1)
        client.delete("celery")
        for n in range(5_000):
            odd = [large, *unreadable] if n % 500 == 0 else []
            client.rpush("celery", quick, *odd)
    found = alone.deployment.fleet.contents.count(
        Deadline.after(10), "celery", lambda done, total: None
    )
    assert dict(found.names) == {"tiny.quick": 5_000, UNNAMED: 70, "tiny.nap": 10}
    assert found.still


def test_a_count_while_messages_come_tells_that_it_is_not_exact_and_counts_each_once(
    alone: Crew, redis_space: RedisSpace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(list_reading, "_RUN_SECONDS", 0)  # so that it is told at each chunk
    deep(alone, redis_space, naps=1_000, quick=500)
    told: list[int] = []

    def publish(done: int, total: int) -> None:
        assert total == 1_500
        told.append(done)
        alone.send("quick")

    found = alone.deployment.fleet.contents.count(Deadline.after(10), "celery", publish)
    assert told == sorted(told)
    assert told[-1] == 1_500
    assert len(told) > 1
    assert dict(found.names) == {"tiny.nap": 1_000, "tiny.quick": 500}
    assert not found.still


def test_a_count_in_which_as_many_came_as_were_taken_is_not_called_exact(
    alone: Crew, redis_space: RedisSpace
) -> None:
    deep(alone, redis_space, naps=1_000, quick=500)
    alone.send("nap")
    swapped: list[object] = []
    with connected(redis_space.broker_url) as client:
        client.lmove("celery", "celery", "LEFT", "RIGHT")  # the one that is taken next

        def swap(done: int, total: int) -> None:
            if not swapped:
                swapped.append(client.lmove("celery", "celery", "RIGHT", "LEFT"))

        found = alone.deployment.fleet.contents.count(Deadline.after(10), "celery", swap)
    assert found.before == found.read == found.after == 1_501
    assert not found.still, "one message was read twice, and another not at all"


def test_a_count_that_breaks_off_leaves_nothing_behind_for_whoever_gets_its_connection(
    alone: Crew, redis_space: RedisSpace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(list_reading, "_RUN_SECONDS", 0)
    deep(alone, redis_space, naps=1_000, quick=500)
    contents = alone.deployment.fleet.contents

    def fails(done: int, total: int) -> None:
        raise KeyError(done)

    with pytest.raises(KeyError):
        contents.count(Deadline.after(10), "celery", fails)
    for _ in range(3):
        found = contents.count(Deadline.after(10), "celery", lambda done, total: None)
        assert dict(found.names) == {"tiny.nap": 1_000, "tiny.quick": 500}


def test_a_count_that_runs_out_of_time_says_how_far_it_got(
    alone: Crew, redis_space: RedisSpace
) -> None:
    deep(alone, redis_space, naps=1_000, quick=500)
    found = alone.deployment.fleet.contents.count(
        Deadline.after(0), "celery", lambda done, total: None
    )
    assert found == Counted(before=1_500, after=1_500, names={}, complete=False)


def test_no_estimate_is_ever_without_an_error() -> None:
    found = estimated(1_000_000, [Counter({"shop.pay": 10})] * 60)
    (only,) = found.shares
    assert (only.share, only.error) == (1.0, 0.05)
    assert found.unseen == 0.05


def test_neighbours_of_one_task_count_as_one_look() -> None:
    runs = [Counter({"a": 10}), Counter({"b": 10})] * 50
    mixed = [Counter({"a": 5, "b": 5}), Counter({"a": 4, "b": 6})] * 50
    of_runs, of_mixed = estimated(9, runs), estimated(9, mixed)
    assert of_runs.shares[0].error == pytest.approx(0.0985, abs=0.001)
    assert of_mixed.shares[0].error < 0.02


def test_an_empty_and_an_unknown_queue(alone: Crew) -> None:
    assert alone.asks("queued celery").text == "Nothing waits in celery."
    with pytest.raises(NotFound, match="no queue named “cellery”"):
        alone.asks("queued cellery")


def test_on_rabbitmq_it_is_refused_with_the_reason(
    redis_spaces: RedisSpaces, tmp_path: Path
) -> None:
    url = f"sqlite:///{tmp_path / 'kb.sqlite3'}"
    migrate(url)
    with redis_spaces.one() as space, rabbitmq_vhost() as broker:
        settings = settings_for(replace(space, broker_url=broker), url)
        with (
            shell_on(settings) as shell,
            pytest.raises(Misunderstood, match="only to those who take them"),
        ):
            shell.asks("queued")
