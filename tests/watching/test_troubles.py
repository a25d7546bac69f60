"""Which readings are troubles, which are none, and which say nothing either way."""

from datetime import timedelta

import pytest

from knowledge_base_agent.fleet.deadline import Unknown
from knowledge_base_agent.operations.alerts_thresholds import thresholds_table
from knowledge_base_agent.watching.reading import Reading
from knowledge_base_agent.watching.recollection import Recollection
from knowledge_base_agent.watching.trouble import Kind, Open
from knowledge_base_agent.watching.troubles import Found, find_troubles
from tests.watching.readings import (
    GB,
    NOW,
    ago,
    fleet,
    left,
    limits,
    queue,
    queues,
    reading,
    redis,
    row,
    rows,
    task,
    worker,
)

HOURS, MINUTES = timedelta(hours=1), timedelta(minutes=1)
AWAY = Unknown(reason="It does not answer.")
LIMIT = timedelta(hours=2)


def checked(
    one: Reading, times: int = 2, *, beat: bool = False, open_: tuple[Open, ...] = ()
) -> Found:
    """The same reading at several checks in a row; what the last one found."""
    before = Recollection()
    for _ in range(times):
        found = find_troubles(one, limits(beat_expected=beat), before, open_)
        before = found.left
    return found


def kinds(found: Found) -> set[Kind]:
    return {one.kind for one in found.troubles}


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        (reading(), set()),
        (reading(fleet=fleet(worker("w1", task(runs=3.9 * HOURS)))), set()),
        (reading(fleet=fleet(worker("w1", task(runs=4.1 * HOURS)))), {Kind.TOO_LONG}),
        (
            reading(
                fleet=fleet(worker("w1", task(runs=2 * HOURS + 4 * MINUTES, time_limit=LIMIT)))
            ),
            set(),
        ),
        (
            reading(
                fleet=fleet(worker("w1", task(runs=2 * HOURS + 6 * MINUTES, time_limit=LIMIT)))
            ),
            {Kind.PAST_LIMIT},
        ),
        (reading(fleet=fleet(worker("w1", task(runs=9 * HOURS), ours=False))), set()),
        (reading(rows=rows(row("lost", started=HOURS))), {Kind.ORPHANED}),
        (reading(rows=rows(row("lost", started=HOURS), lag=5000)), set()),
        (reading(rows=rows(row("left", started=HOURS)), mailboxes=frozenset({"w1"})), set()),
        (
            reading(rows=rows(row("left", started=4 * HOURS)), mailboxes=frozenset({"w1"})),
            {Kind.ORPHANED},
        ),
        (
            reading(
                fleet=fleet(worker("w1", task("here", runs=HOURS))),
                rows=rows(row("here", started=HOURS)),
            ),
            set(),
        ),
        (reading(queues=queues(queue(10))), set()),
        (reading(queues=queues(queue(11))), {Kind.QUEUE_DEEP}),
        (reading(queues=queues(queue(1, consumers=0))), {Kind.QUEUE_UNTAKEN}),
        (reading(queues=queues(queue(0, consumers=0))), set()),
        (
            reading(queues=queues(queue(5, consumers=0)), rows=rows(paused={"celery": "otto"})),
            set(),
        ),
        (reading(queues=queues(queue(5, consumers=None))), set()),
        (reading(queues=queues(unacked_for=47 * MINUTES)), set()),
        (reading(queues=queues(unacked_for=49 * MINUTES)), {Kind.REDELIVERY}),
        (reading(fleet=fleet(worker(memory_used=79, memory_allowed=100))), set()),
        (reading(fleet=fleet(worker(memory_used=81, memory_allowed=100))), {Kind.WORKER_MEMORY}),
        (reading(redis={"broker": redis(used=GB + 1)}), {Kind.REDIS_MEMORY}),
        (reading(redis={"broker": redis(used=81, most=100)}), {Kind.REDIS_MEMORY}),
        (reading(redis={"broker": redis(used=79, most=100)}), set()),
        (reading(redis={"broker": AWAY}, fleet=AWAY, queues=AWAY), {Kind.AWAY}),
    ],
)
def test_only_what_is_wrong_is_told(seen: Reading, expected: set[Kind]) -> None:
    assert kinds(checked(seen)) == expected


@pytest.mark.parametrize(
    "seen",
    [
        reading(queues=queues(queue(50))),
        reading(queues=queues(queue(1, consumers=0))),
        reading(redis={"broker": AWAY}),
        reading(rows=rows(row("lost", started=HOURS))),
    ],
)
def test_what_may_pass_by_itself_is_told_at_the_second_check(seen: Reading) -> None:
    assert kinds(checked(seen, 1)) == set()
    assert kinds(checked(seen, 2))


@pytest.mark.parametrize(
    ("seen", "unjudged"),
    [
        (
            reading(fleet=fleet(worker(), receivers=2, silent=("w2",))),
            {Kind.TOO_LONG, Kind.PAST_LIMIT, Kind.ORPHANED, Kind.WORKER_MEMORY},
        ),
        (reading(fleet=AWAY), {Kind.TOO_LONG, Kind.WORKER_GONE}),
        (reading(queues=AWAY), {Kind.QUEUE_DEEP, Kind.QUEUE_UNTAKEN, Kind.REDELIVERY}),
        (reading(rows=AWAY), {Kind.ORPHANED}),
        (reading(redis={"broker": AWAY}), {Kind.REDIS_MEMORY}),
        (reading(mailboxes=None), {Kind.WORKER_GONE}),
        (reading(beat=AWAY), {Kind.BEAT_SILENT}),
    ],
)
def test_what_could_not_be_read_is_no_sign_that_a_trouble_is_over(
    seen: Reading, unjudged: set[Kind]
) -> None:
    assert unjudged <= checked(seen).unjudged


def test_a_healthy_reading_judges_everything() -> None:
    assert checked(reading()).unjudged == frozenset()


@pytest.mark.parametrize(
    ("mailboxes", "minutes", "gone"),
    [({"w1", "w2"}, 5, True), ({"w1"}, 5, False), ({"w1", "w2"}, 61, False)],
    ids=["killed: it left its mailbox", "said goodbye", "missed long enough"],
)
def test_a_worker_that_was_killed_is_told_from_one_that_was_shut_down(
    mailboxes: set[str], minutes: float, gone: bool
) -> None:
    view = fleet(worker(), roster=(left("w2", minutes),))
    seen = reading(fleet=view, mailboxes=frozenset(mailboxes))
    assert (kinds(checked(seen)) == {Kind.WORKER_GONE}) == gone


def test_a_killed_worker_is_still_missed_by_a_bot_that_never_knew_it() -> None:
    told = Open(kind=Kind.WORKER_GONE, subject="w2", age_seconds=60)
    seen = reading(mailboxes=frozenset({"w1", "w2"}))
    assert kinds(checked(seen, open_=(told,))) == {Kind.WORKER_GONE}
    back = reading(fleet=fleet(worker(), worker("w2")), mailboxes=frozenset({"w1", "w2"}))
    assert kinds(checked(back, open_=(told,))) == set()


def test_a_worker_that_takes_nothing_while_messages_wait_is_told() -> None:
    seen = reading(queues=queues(queue(5)))
    assert kinds(checked(seen, 3)) == set()
    assert kinds(checked(seen, 4)) == {Kind.WORKER_IDLE}
    at_work = reading(queues=queues(queue(5)), fleet=fleet(worker("w1", task(runs=MINUTES))))
    assert kinds(checked(at_work, 6)) == set()


def test_evicted_keys_are_told_when_they_rise_not_for_what_was_before() -> None:
    old = find_troubles(reading(redis={"broker": redis(evicted=7)}), limits(), Recollection(), ())
    assert kinds(old) == set()
    assert Kind.REDIS_EVICTS in old.unjudged
    more = find_troubles(reading(redis={"broker": redis(evicted=9)}), limits(), old.left, ())
    assert "2 keys" in more.troubles[0].sentence


@pytest.mark.parametrize(
    ("beat", "expected", "told"),
    [(None, True, True), (ago(minutes=5), True, True), (NOW, True, False), (None, False, False)],
)
def test_beat_is_missed_only_where_it_is_expected(beat: object, expected: bool, told: bool) -> None:
    assert (kinds(checked(reading(beat=beat), beat=expected)) == {Kind.BEAT_SILENT}) == told


def test_a_thousand_stuck_tasks_do_not_flood_the_channel() -> None:
    many = [task(f"t{n}", runs=5 * HOURS + n * MINUTES) for n in range(1000)]
    found = checked(reading(fleet=fleet(worker("w1", *many)))).troubles
    assert len(found) == 11
    assert "990 more tasks" in found[-1].sentence
    assert found[0].subject == "t999", "the oldest are told one by one"


def test_tasks_that_were_told_stay_told_one_by_one() -> None:
    many = [task(f"t{n}", runs=5 * HOURS + n * MINUTES) for n in range(30)]
    told = Open(kind=Kind.TOO_LONG, subject="t0", age_seconds=60)
    found = checked(reading(fleet=fleet(worker("w1", *many))), open_=(told,)).troubles
    assert "t0" in {one.subject for one in found}


_LISTED = {
    Kind.TOO_LONG: "runs long",
    Kind.PAST_LIMIT: "past its time limit",
    Kind.ORPHANED: "lost its worker",
    Kind.QUEUE_DEEP: "messages wait",
    Kind.QUEUE_UNTAKEN: "nobody takes",
    Kind.REDELIVERY: "given out again",
    Kind.WORKER_MEMORY: "worker uses much memory",
    Kind.WORKER_GONE: "worker vanishes",
    Kind.WORKER_IDLE: "takes nothing",
    Kind.REDIS_MEMORY: "Redis uses much memory",
    Kind.REDIS_EVICTS: "keys are evicted",
    Kind.BEAT_SILENT: "beat is silent",
    Kind.AWAY: "does not answer",
}


@pytest.mark.parametrize("kind", Kind)
def test_whatever_is_told_is_listed_with_its_threshold(kind: Kind) -> None:
    listed = thresholds_table(limits()).rows
    [threshold] = [row.cells[1] for row in listed if _LISTED[kind] in str(row.cells[0])]
    assert threshold
