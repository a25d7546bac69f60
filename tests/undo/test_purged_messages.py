"""Purged messages come back exactly: each list, element by element, whoever publishes meanwhile."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import redis

from knowledge_base_agent.fleet import purging
from knowledge_base_agent.fleet.deadline import Deadline
from knowledge_base_agent.problems import NotFound
from knowledge_base_agent.report import Report
from tests.operations.crew import Crew
from tests.operations.place import notes, table
from tests.undo.seen import connected, database, lists
from tests.waiting import wait_until

KEYS = ("celery", "celery\x06\x163", "celery\x06\x166", "celery\x06\x169")


def purge(shell: Crew, words: str = "purge --reason test") -> tuple[Report, str]:
    """Purge, and return the report and the words of its Undo button."""
    report = shell.insists(shell.previews(words))
    return report, next((one.words for one in report.actions if one.label == "Undo"), "")


def undo_of(report: Report) -> str:
    """Return the words of a report's Undo button."""
    (button,) = [one for one in report.actions if one.label == "Undo"]
    return button.words


def fill(shell: Crew) -> list[str]:
    return [shell.send("quick", priority=priority) for priority in (0, 9, 3, 3, 6, 0, 9, 0)]


def test_what_was_purged_comes_back_element_by_element(alone: Crew, broker: str) -> None:
    fill(alone)
    before = database(broker)

    preview = alone.previews("purge --reason test")
    assert "For 24 h `undo` can bring them back" in preview.report.text
    report = alone.confirms(preview)
    assert report.data["removed"]["celery"] == 8  # type: ignore[index]
    assert not any(key in database(broker) for key in map(str.encode, KEYS)), "nothing waits"
    assert "brings it back until" in notes(report)
    assert "memory stay taken" in notes(report)
    (button,) = [one for one in report.actions if one.label == "Undo"]

    undo = alone.previews(button.words)
    assert undo.affected == 8
    assert table(undo.report, "What comes back")["messages of celery"].cells[1] == 8
    done = alone.confirms(undo)
    assert "Brought back 8 messages of celery" in done.text
    assert database(broker) == before, "every key as it was, and nothing is left aside"


def test_a_purge_that_was_not_begun_promises_no_undo(
    alone: Crew, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(alone)
    claimed = alone.claims(alone.previews("purge --reason test"))
    with monkeypatch.context() as patch:
        patch.setattr(purging, "transact_here", lambda *_: silent())
        report = alone.executes(claimed)
    assert "The broker did not answer in time" in report.text
    assert not any(one.label == "Undo" for one in report.actions)
    assert "brings it back" not in notes(report)


def silent() -> None:
    """Be a broker that is silent before the gate."""
    raise redis.TimeoutError


def test_where_messages_would_go_is_told_without_asking_a_broker_that_is_known(alone: Crew) -> None:
    fleet = alone.deployment.fleet
    fleet.queues.depths(Deadline.after(5))  # connects
    planned = fleet.asides.plan(Deadline.after(0), ["celery"], "op-1:x")
    assert tuple(one.key for one in planned) == KEYS
    assert planned[0].aside == "kb:undo:op-1:x:celery"


def test_what_was_published_meanwhile_is_taken_after_what_comes_back(
    alone: Crew, broker: str
) -> None:
    fill(alone)
    before = lists(broker, KEYS)
    _, undo = purge(alone)
    for priority in (0, 0, 3):
        alone.send("quick", priority=priority)
    newer = lists(broker, KEYS)

    alone.confirms(alone.previews(f"{undo} --reason test"))

    assert lists(broker, KEYS) == {key: newer[key] + before[key] for key in KEYS}


def test_more_than_a_step_of_newer_messages_keeps_its_order_too(alone: Crew, broker: str) -> None:
    with connected(broker) as client:
        client.lpush("celery", *(f"old-{n}" for n in range(10)))
        before = client.lrange("celery", 0, -1)
        _, undo = purge(alone, "purge --queue celery --reason test")
        client.lpush("celery", *(f"new-{n}" for n in range(3500)))
        newer = client.lrange("celery", 0, -1)
        alone.confirms(alone.previews(f"{undo} --reason test"))
        assert client.lrange("celery", 0, -1) == newer + before


def publish(broker: str, over: threading.Event) -> int:
    """Publish, each message another one, until it is over; return how many."""
    sent = 0
    with connected(broker) as client:
        while not over.is_set():
            client.lpush("celery", f"m-{threading.get_ident()}-{sent}")
            sent += 1
    return sent


def test_of_one_message_the_undo_speaks_as_of_one(alone: Crew) -> None:
    alone.send("quick")
    report = alone.confirms(alone.previews("purge --reason test"))
    undo = alone.previews(f"{undo_of(report)} --reason test")
    assert "About to bring back 1 message of celery." in undo.report.text
    assert "Brought back 1 message of celery" in alone.confirms(undo).text


def longer_than(broker: str, number: int) -> bool:
    with connected(broker) as client:
        return int(client.llen("celery")) > number


def test_nothing_is_lost_doubled_or_miscounted_while_others_publish(
    alone: Crew, broker: str
) -> None:
    fill(alone)
    over, at_first = threading.Event(), len(lists(broker, ("celery",))["celery"])
    claimed = alone.claims(alone.previews("purge --queue celery --reason test"))
    with ThreadPoolExecutor(2) as pool:
        publishers = [pool.submit(publish, broker, over) for _ in range(2)]
        try:
            wait_until(lambda: longer_than(broker, 500), what="they publish")
            report = alone.executes(claimed)
            wait_until(lambda: longer_than(broker, 500), what="they publish still")
            done = alone.confirms(alone.previews(f"{undo_of(report)} --reason test"))
        finally:
            over.set()
        sent = sum(one.result() for one in publishers) + at_first
    found = lists(broker, KEYS)["celery"]
    removed = report.data["removed"]["celery"]  # type: ignore[index]
    assert done.data["back"] == {"messages of celery": removed}
    assert len(found) == len(set(found)) == sent
    assert not [key for key in database(broker) if key.startswith(b"kb:undo:")]


def test_a_worker_that_waits_takes_what_comes_back_at_once(alone: Crew, broker: str) -> None:
    with connected(broker) as client, ThreadPoolExecutor(1) as pool:
        client.lpush("celery", "the message")
        _, undo = purge(alone, "purge --queue celery --reason test")
        waiting = pool.submit(client.brpop, ["celery"], 20)
        alone.confirms(alone.previews(f"{undo} --reason test"))
        assert list(waiting.result() or ()) == [b"celery", b"the message"]


def test_without_undo_the_memory_is_free_at_once_and_that_is_said(alone: Crew, broker: str) -> None:
    fill(alone)
    preview = alone.previews("purge --no-undo --reason test")
    assert "For good: nothing is kept to undo it" in preview.report.text
    report = alone.confirms(preview)
    assert not [one for one in report.actions if one.label == "Undo"]
    assert not [key for key in database(broker) if b"celery" in key and b"_kombu" not in key]
    with pytest.raises(NotFound, match="has put nothing aside"):
        alone.previews("undo op-1")


def test_an_undo_is_done_once_and_is_no_thing_to_undo(alone: Crew) -> None:
    fill(alone)
    _, undo = purge(alone)
    first, second = alone.previews(undo), alone.previews(undo)
    alone.confirms(first)
    assert "op-2 has done that already" in alone.finds_changed(second).what
    with pytest.raises(NotFound, match="op-2 has done that already"):
        alone.previews(undo)
    with pytest.raises(NotFound, match="it was an undo itself"):
        alone.previews("undo op-2")
    with pytest.raises(NotFound, match="no run"):
        alone.previews("undo op-77")


def test_a_purge_of_nothing_leaves_nothing_to_undo(alone: Crew) -> None:
    fill(alone)
    claimed = alone.claims(alone.previews("purge --reason test"))
    alone.confirms(alone.previews("purge --no-undo --reason test"))
    report = alone.executes(claimed)
    assert not [one for one in report.actions if one.label == "Undo"]


def test_a_purge_that_failed_on_the_way_can_be_taken_back_as_far_as_it_came(
    alone: Crew, broker: str
) -> None:
    """A queue's key that is no list ends the purge; what went before it is not lost."""
    fill(alone)
    before = database(broker)
    claimed = alone.claims(alone.previews("purge --reason test"))
    with connected(broker) as client:
        client.rename(KEYS[1], "elsewhere")
        client.set(KEYS[1], "no list")
        report = alone.executes(claimed)
        assert not report.succeeded, report
        (stray,) = client.scan_iter(match=f"kb:undo:*:{KEYS[1]}", count=1000)
        client.delete(stray)
        client.rename("elsewhere", KEYS[1])
    alone.confirms(alone.previews(f"{undo_of(report)} --reason test"))
    assert database(broker) == before
