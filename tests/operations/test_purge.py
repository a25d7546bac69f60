"""Purging: exactly counted, every priority, unknown names refused, and what workers hold is said."""

import contextlib
import secrets
from typing import Any

import pytest
from celery import group
from kombu import Connection, Exchange, Producer, Queue
from redis import Redis

from knowledge_base_agent.fleet.deadline import Deadline
from knowledge_base_agent.fleet.fleet import Fleet
from knowledge_base_agent.fleet.purging import known_queue
from knowledge_base_agent.problems import NotFound
from knowledge_base_agent.report import Tone
from knowledge_base_agent.requests import Pending
from tests.fleet.tiny_app import tiny_app
from tests.operations.place import Place, notes, table
from tests.servers import RABBITMQ_URL, RedisSpace, absent
from tests.waiting import wait_until


def test_a_purge_counts_every_priority_and_says_what_will_run_all_the_same(here: Place) -> None:
    """What said 19 while 6 more ran: those that the worker had taken, and those that wait for their time."""
    later = here.send("add", 1, 1, countdown=1800)
    wait_until(lambda: later in str(here.asks("scheduled")), what="the worker keeps it")
    holding = [here.send("sleep", 60) for _ in range(4)]
    wait_until(lambda: all(one in str(here.asks("active")) for one in holding[:2]), what="two run")
    wait_until(lambda: "2 reserved" in here.asks("reserved").text, what="two are taken")
    for priority in (0, 3, 3, 6, 9):
        here.send("add", 1, 1, priority=priority)
    pending = here.previews("purge --queue celery")
    assert pending.affected == 5
    row = table(pending.report, "Queues")["celery"]
    assert row.cells[1:6] == (5, "0: 1, 3: 2, 6: 1, 9: 1", 2, 2, 1)
    assert "5 in celery" in pending.report.text
    assert "5 already with workers: 2 running, 2 taken in advance, 1 waiting" in pending.report.text
    assert "5 history.add" in notes(pending.report)
    report = here.confirms(pending)
    assert report.data["removed"] == {"celery": 5}
    assert "Removed 5 messages from 1 queue; 0 wait now; 5 already with workers" in report.text
    assert report.tone is Tone.WARNING, "three of them will run all the same"
    (button,) = [one for one in report.actions if one.label == "Revoke them?"]
    assert set(button.words.split()[1:]) == {*holding[2:], later}, "not those that run"
    here.confirms(here.previews(button.words))
    here.confirms(here.previews(f"revoke {' '.join(holding[:2])} --terminate"))
    left = here.asks("purge --queue celery")
    assert "1 waiting for their time, 1 of them revoked" in left.text
    assert not left.actions, "nothing is left to revoke"


def test_a_misspelt_queue_is_refused_and_not_purged_of_nothing(here: Place) -> None:
    with pytest.raises(NotFound, match="Did you mean celery") as refused:
        here.asks("purge-queues --queue celry")
    assert "agent" in str(refused.value), "the queues that there are"


def test_a_queue_that_only_the_broker_knows_is_found_and_purged(here: Place) -> None:
    for _ in range(3):
        here.send("add", 1, 1, queue="left-behind")
    pending = here.previews("purge --reason test")
    assert table(pending.report, "Queues")["left-behind"].cells[1] == 3
    assert here.confirms(pending).data["removed"]["left-behind"] == 3  # type: ignore[index]
    depth = here.deployment.fleet.queues.depths(Deadline.after(2)).named("left-behind")
    assert depth is not None
    assert depth.ready == 0


@pytest.mark.parametrize("exchange", ["", "another-exchange"])
def test_a_queue_as_new_as_the_trouble_it_makes_is_found_by_its_name(
    here: Place, exchange: str
) -> None:
    """Bindings are looked for once a minute; what somebody names is looked for at once, wherever it is bound."""
    here.asks("stats")
    name = f"just-made-{exchange}"
    with pytest.raises(NotFound):
        here.asks(f"purge --queue {name}")
    with here.site.app.connection_for_write() as connection:
        queue = Queue(name, Exchange(exchange or name), routing_key="any")
        Producer(connection).publish(
            {}, exchange=queue.exchange, routing_key="any", declare=[queue]
        )
    assert here.previews(f"purge --queue {name}").affected == 1
    assert "1" in str(table(here.asks("stats"), "Queues")[name].cells), "and stays known"


def test_the_preview_names_members_of_groups_whose_chord_would_wait_for_ever(here: Place) -> None:
    add = here.site.app.signature("history.add", args=(1, 1), queue="chord-members")
    group([add.clone(), add.clone()]).apply_async()
    report = here.previews("purge --queue chord-members").report
    assert "2 of the next 2 in chord-members belong to groups" in notes(report)
    here.confirms(here.previews("purge --queue chord-members"))


def test_as_many_other_messages_are_not_what_was_shown(here: Place) -> None:
    def publish(number: int) -> None:
        for n in range(number):
            here.send("add", n, 1, queue="replaced")

    broker: Any = Redis.from_url(here.site.settings.broker_url)
    publish(30)
    pending = here.previews("purge --queue replaced")
    assert broker.delete("replaced")
    publish(30)
    changed = here.finds_changed(pending)
    assert "in replaced" in changed.what
    assert "many of them others than the 30 that were shown" in changed.what
    assert broker.llen("replaced") == 30, "nothing was removed"
    assert isinstance(changed.now, Pending)
    assert "`pause replaced` first" in notes(changed.now.report), (
        "or it would be shown anew for ever"
    )
    for _ in range(4):
        assert broker.rpop("replaced"), "one is taken"
    publish(6)
    assert here.confirms(changed.now).data["removed"] == {"replaced": 32}
    broker.close()


@pytest.mark.parametrize(
    ("taken", "came", "told"),
    [(0, 0, 0), (0, 7, 7), (3, 7, 7), (600, 700, 700), (1000, 1000, 101), (999, 5, 5), (1000, 5, 5)],
)  # fmt: skip
def test_what_came_behind_the_newest_is_counted_whatever_was_taken(
    redis_space: RedisSpace, taken: int, came: int, told: int
) -> None:
    shown, url = 1000 if taken != 600 else 20_000, redis_space.broker_url
    with tiny_app(url, None) as app, contextlib.closing(Fleet(app)) as fleet:
        client, deadline = Redis.from_url(url), Deadline.after(5)
        client.lpush("celery", *(f"old {n}" for n in range(shown)))
        ends = fleet.purging.ends(deadline, ["celery"])
        if taken:
            client.rpop("celery", taken)
        if came:
            client.lpush("celery", *(f"new {n}" for n in range(came)))
        assert fleet.purging.came(deadline, ends) == {"celery": told}
        client.close()


def test_on_rabbitmq_a_queue_is_emptied_by_the_brokers_own_count() -> None:
    name = f"kbtest{secrets.token_hex(4)}"
    with Connection(RABBITMQ_URL, connect_timeout=2) as connection:
        try:
            connection.ensure_connection(max_retries=0)
        except connection.connection_errors:
            absent("RabbitMQ")
        with tiny_app(RABBITMQ_URL, None, own=name) as app:
            fleet = Fleet(app)
            try:
                for _ in range(3):
                    app.send_task("tiny.quick", connection=connection)
                deadline = Deadline.after(5)
                wait_until(lambda: _ready(fleet, name) == 3, what="three wait")
                assert known_queue(fleet.queues.depths(deadline), name) == name
                (emptied,) = fleet.purging.purge(deadline, (name,))
                assert (emptied.removed, emptied.problem) == (3, None)
                assert _ready(fleet, name) == 0
                assert fleet.purging.purge(deadline, ("kbtest-none",))[0].removed == 0
                assert fleet.purging.samples(deadline, (name,)) == {}, "it shows none to onlookers"
            finally:
                fleet.close()
                channel: Any = connection.channel()
                channel.queue_delete(name)
                channel.exchange_delete(name)


def _ready(fleet: Fleet, name: str) -> int | None:
    depth = fleet.queues.depths(Deadline.after(3)).named(name)
    return depth.ready if depth else None
