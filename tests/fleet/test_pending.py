"""Finding tasks among the messages that nobody has taken yet."""

import redis

from knowledge_base_agent.fleet.deadline import Deadline
from knowledge_base_agent.fleet.discovery import Origin
from knowledge_base_agent.fleet.fleet import Fleet
from tests.fleet.running import Site


def test_a_task_deep_in_a_queue_of_any_priority_is_found_and_the_search_says_how_far_it_read(
    site: Site, fleet: Fleet
) -> None:
    quick = fleet.app.tasks["tiny.quick"]
    ids = [quick.apply_async(priority=number % 10).id for number in range(300)]

    search = fleet.find_pending(Deadline.after(5), [ids[0], ids[150], ids[299], "never-was"])

    assert {one.envelope.id for one in search.found} == {ids[0], ids[150], ids[299]}
    assert {one.envelope.name for one in search.found} == {"tiny.quick"}
    assert (search.scanned, search.total, search.complete) == (300, 300, True)


def test_a_search_without_time_says_that_it_is_not_complete(site: Site, fleet: Fleet) -> None:
    fleet.app.tasks["tiny.quick"].delay()
    fleet.find_pending(Deadline.after(5), ["x"])
    search = fleet.find_pending(Deadline.after(0.09), ["never-was"])
    assert not search.complete
    assert search.why_incomplete == "The time was up before everything was read."


def test_a_message_that_cannot_be_read_leaves_an_unfound_id_in_doubt(
    site: Site, fleet: Fleet
) -> None:
    with redis.Redis.from_url(site.broker_url) as admin:
        admin.lpush("celery", b"\x80\x04not json")
        search = fleet.find_pending(Deadline.after(5), ["never-was"])
        admin.lpop("celery")
    assert not search.complete
    assert search.why_incomplete == "1 messages could not be read."


def test_a_queue_that_only_the_broker_knows_is_found_and_keeps_its_count(
    site: Site, fleet: Fleet
) -> None:
    for _ in range(5):
        fleet.app.tasks["tiny.quick"].apply_async(queue="left-behind")
    other = site.fleet("other")

    queue = other.queues.depths(Deadline.after(5)).named("left-behind")
    other.close()

    assert queue is not None
    assert queue.ready == 5
    assert queue.origins == {Origin.BROKER}
    assert queue.oldest_at is None
    assert not queue.oldest_known


def test_mailboxes_and_event_queues_are_not_shown_as_queues(site: Site, fleet: Fleet) -> None:
    fleet.workers.look(Deadline.after(5))
    names = {queue.name for queue in fleet.queues.depths(Deadline.after(5)).queues}
    assert not [name for name in names if "pidbox" in name or "celeryev" in name]


def test_priority_lists_with_other_steps_and_separator_are_summed(site: Site, fleet: Fleet) -> None:
    fleet.app.conf.broker_transport_options = {"priority_steps": list(range(10)), "sep": ":"}
    for priority in range(10):
        fleet.app.tasks["tiny.quick"].apply_async(priority=priority, queue="steps")

    queue = fleet.queues.depths(Deadline.after(5)).named("steps")

    with redis.Redis.from_url(site.broker_url) as admin:
        assert admin.llen("steps") == 1
    assert queue is not None
    assert queue.ready == 10
    assert queue.by_priority == dict.fromkeys(range(10), 1)
    assert queue.consumers is None
