"""A worker's answer of ours takes the short way to the broker, and kombu's wherever that may not be right."""

from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import pytest
import redis
from celery import Celery
from kombu import Connection, Consumer, Queue

from knowledge_base_agent.fleet.deadline import Deadline
from knowledge_base_agent.fleet.fleet import Fleet
from knowledge_base_agent.fleet.question import Question
from knowledge_base_agent.fleet.replying import AnsweringNode, Told
from tests.closing import closed_app
from tests.fleet.responder import responders
from tests.fleet.running import Site
from tests.servers import rabbitmq_listens, rabbitmq_vhost
from tests.waiting import wait_until

PING = Question(command="ping")
LONE = "\udc80 in a name"
SCRIPTS_REFUSED = ("reset", "on", ">pw", "~*", "&*", "+@all", "-eval")


class Spoken:
    """What kombu's JSON can write and nobody else's."""

    def __json__(self) -> str:
        return "in kombu's words"


@pytest.fixture
def admin(site: Site) -> Iterator[Any]:
    """The broker's own client."""
    with redis.Redis.from_url(site.broker_url, decode_responses=True) as client:
        yield client


@pytest.fixture
def app(site: Site) -> Iterator[Celery]:
    """An app whose simulated workers have our end of the mailbox."""
    with closed_app(site.app()) as app:
        app.control.mailbox.node_cls = AnsweringNode  # type: ignore[attr-defined]
        yield app


def asked_twice(app: Celery, told: Callable[[], object]) -> list[Any]:
    """Return what a worker that answers so is heard to say."""
    fleet = Fleet(app)
    try:
        with responders(app, ["w"], lambda _command, _index: told()):
            answers = [fleet.broadcaster.ask(Deadline.after(10), PING) for _ in range(2)]
    finally:
        fleet.close()
    assert [one.complete for one in answers] == [True, True]
    return [reply.body for one in answers for reply in one.replies]


def calls(admin: Any, command: str) -> int:
    """Return how often the server has carried out a command."""
    found: dict[str, Any] = admin.info("commandstats").get(f"cmdstat_{command}", {})
    return int(found.get("calls", 0))


@pytest.mark.parametrize("prefix", ["", "ours:"])
def test_an_answer_of_ours_is_one_word_to_redis(admin: Any, app: Celery, prefix: str) -> None:
    app.conf.broker_transport_options = {"global_keyprefix": prefix}
    looked_up, sent = calls(admin, "smembers"), calls(admin, "eval")
    said = asked_twice(app, lambda: Told(v=1, names=["ä"], none=None))
    assert said == [{"v": 1, "names": ["ä"], "none": None}] * 2
    assert (calls(admin, "smembers") - looked_up, calls(admin, "eval") - sent) == (0, 2)


@pytest.mark.parametrize(
    ("told", "heard"),
    [
        (lambda: Told(v=Spoken()), {"v": "in kombu's words"}),
        (lambda: Told(v=LONE), {"v": LONE}),
        (lambda: {"v": Spoken()}, {"v": "in kombu's words"}),
    ],
    ids=["no JSON", "half a character", "not ours"],
)
def test_what_is_no_plain_answer_of_ours_is_sent_by_kombu(
    admin: Any, app: Celery, told: Callable[[], object], heard: object
) -> None:
    looked_up = calls(admin, "smembers")
    assert asked_twice(app, told) == [heard] * 2
    assert calls(admin, "smembers") > looked_up


def test_a_redis_that_lets_nobody_run_scripts_is_answered_by_kombu(site: Site, admin: Any) -> None:
    admin.execute_command("ACL", "SETUSER", "plain", *SCRIPTS_REFUSED)
    try:
        with closed_app(site.app()) as app:
            app.conf["broker_url"] = site.broker_url.replace("//", "//plain:pw@", 1)
            app.control.mailbox.node_cls = AnsweringNode  # type: ignore[attr-defined]
            assert asked_twice(app, lambda: Told(v=1)) == [{"v": 1}] * 2
    finally:
        admin.execute_command("ACL", "DELUSER", "plain")


def test_an_answer_that_nobody_waits_for_any_more_leaves_nothing_in_redis(
    admin: Any, app: Celery
) -> None:
    before = set(admin.scan_iter())
    with app.connection_for_write() as connection:
        mailbox: Any = app.control.mailbox(connection)  # type: ignore[attr-defined]
        node = mailbox.Node("w", channel=connection.channel())
        node.reply({"w": Told(v=1)}, mailbox.reply_exchange.name, "gone", "ticket")
    assert set(admin.scan_iter()) == before


def test_a_worker_that_loads_our_commands_answers_so(site: Site, admin: Any) -> None:
    site.start("w@short", "-P", "solo")
    with closing(site.fleet()) as fleet:
        wait_until(
            lambda: fleet.workers.look(Deadline.after(2), fresh=True).answered, what="it answers"
        )
        looked_up, sent = calls(admin, "smembers"), calls(admin, "eval")
        view = fleet.workers.look(Deadline.after(10), fresh=True)
        assert (view.complete, view.problems, len(view.workers)) == (True, (), 1)
        assert (calls(admin, "smembers") - looked_up, calls(admin, "eval") - sent) == (0, 1)


@pytest.mark.skipif(not rabbitmq_listens(), reason="RabbitMQ with rabbitmqctl is not there")
def test_on_rabbitmq_kombu_declares_and_what_follows_is_read_in_the_same_way() -> None:
    with rabbitmq_vhost() as url, closed_app(Celery("answering", broker=url)) as app:
        mailbox: Any = app.control.mailbox  # type: ignore[attr-defined]
        mailbox.node_cls = AnsweringNode
        heard: list[tuple[Any, ...]] = []
        with Connection(url) as connection:
            node = mailbox.Node("w", channel=connection.channel())
            queue: Any = Queue("here", mailbox.reply_exchange, routing_key="k", exclusive=True)

            def hear(said: object, message: Any) -> None:
                heard.append((said, message.headers["ticket"], message.properties["delivery_mode"]))

            with Consumer(connection, [queue], callbacks=[hear], no_ack=True, accept=["json"]):
                for _ in range(3):
                    node.reply({"w": Told(v="ä")}, mailbox.reply_exchange.name, "k", "ticket")
                    connection.drain_events(timeout=5)
        app.amqp.producer_pool.force_close_all()  # type: ignore[attr-defined]
    assert heard == [({"w": {"v": "ä"}}, "ticket", 1)] * 3
