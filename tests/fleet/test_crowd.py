"""Many workers answer one question: what waits is fetched together, and nothing among it is lost."""

import base64
import json
import pickle
import threading

import pytest
import redis
from celery import Celery

from knowledge_base_agent.fleet.deadline import Deadline
from knowledge_base_agent.fleet.fleet import Fleet
from knowledge_base_agent.fleet.line import Line
from knowledge_base_agent.fleet.question import Asked, Question
from knowledge_base_agent.fleet.redis_replies import RedisReplies
from tests.fleet.responder import responders
from tests.fleet.running import Site

PING = Question(command="ping")
NAMES = [f"crowd{number:02}" for number in range(40)]


@pytest.fixture
def app(site: Site) -> Celery:
    """The app that simulated workers run, with a producer for each of them."""
    app = site.app()
    app.conf.broker_pool_limit = len(NAMES)
    return app


def test_a_crowd_of_workers_all_answer_to_one_question(
    app: Celery, fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetched: list[int] = []
    ours = RedisReplies.ask_waiting

    def ask_waiting(replies: RedisReplies, most: int) -> None:
        fetched.append(most)
        ours(replies, most)

    monkeypatch.setattr(RedisReplies, "ask_waiting", ask_waiting)
    with responders(app, NAMES, lambda _command, _index: {"ok": "pong"}):
        answers = fleet.broadcaster.ask(Deadline.after(20), PING)
    assert sorted(reply.worker for reply in answers.replies) == NAMES
    assert answers.complete
    assert fetched, "each reply took a round trip of its own"


def test_a_redis_that_knows_no_count_gives_them_one_by_one(
    app: Celery, fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[int] = []

    def refused(replies: RedisReplies, most: int) -> None:
        tried.append(most)
        replies._ask("RPOP", replies._list, most, "one word too many")
        replies._many = True

    monkeypatch.setattr(RedisReplies, "ask_waiting", refused)
    with responders(app, NAMES, lambda _command, _index: {"ok": "pong"}):
        answers = fleet.broadcaster.ask(Deadline.after(20), PING)
    assert sorted(reply.worker for reply in answers.replies) == NAMES
    assert len(tried) == 1, "what was refused once is asked again and again"


def test_a_pickled_reply_among_many_is_counted_unread_and_costs_no_other(
    site: Site, app: Celery, fleet: Fleet
) -> None:
    pushed = threading.Event()

    def answer(_command: str, index: int) -> object:
        if index:
            pushed.wait(5)
        else:
            push_pickled(site)
            pushed.set()
        return {"ok": "pong"}

    with responders(app, NAMES, answer):
        answers = fleet.broadcaster.ask(Deadline.after(20), PING)
    assert sorted(reply.worker for reply in answers.replies) == NAMES
    assert answers.unreadable == 1


def push_pickled(site: Site) -> None:
    """Put a pickled message into the reply queue of whoever asks."""
    body = base64.b64encode(pickle.dumps({"strange": "reply"})).decode()
    message = {
        "body": body,
        "content-encoding": "binary",
        "content-type": "application/x-python-serialize",
        "headers": {},
        "properties": {
            "body_encoding": "base64",
            "delivery_info": {"exchange": "reply.celery.pidbox", "routing_key": "any"},
            "delivery_tag": "one",
        },
    }
    with redis.Redis.from_url(site.broker_url, decode_responses=True) as client:
        for binding in client.smembers("_kombu.binding.reply.celery.pidbox"):
            client.lpush(binding.rpartition("\x06\x16")[2], json.dumps(message))


def test_a_connection_that_asks_again_and_again_adds_nothing_to_what_kombu_keeps(
    app: Celery,
) -> None:
    line = Line(app, lambda _names: None)
    try:
        for _ in range(5):
            line.send(Asked(question=PING), Deadline.after(5))
        channel, key = vars(line)["_channel"], vars(line)["_key"]
        exchange = vars(line)["_mailbox"].reply_exchange.name
        table = channel.state.exchanges[exchange]["table"]
        assert [row[0] for row in table].count(key) == 1
    finally:
        line.close()
