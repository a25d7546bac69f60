"""Questions over Redis: their replies' address, what waits for them, and what strangers write among them."""

from collections.abc import Iterator

import pytest
import redis
from celery import Celery

from knowledge_base_agent.fleet import redis_replies
from knowledge_base_agent.fleet.deadline import Deadline
from knowledge_base_agent.fleet.fleet import Fleet
from knowledge_base_agent.fleet.line import Line
from knowledge_base_agent.fleet.question import Asked, Question
from knowledge_base_agent.fleet.receivers import CLIENT_NAME
from knowledge_base_agent.problems import Away
from tests.closing import closed_app
from tests.faults.proxy import proxy_to
from tests.fleet.responder import Responder, responders
from tests.fleet.running import Site
from tests.fleet.test_crowd import push_pickled
from tests.fleet.test_reply_bodies import enveloped
from tests.fleet.tiny_app import tiny_app
from tests.waiting import wait_until

PING = Question(command="ping")
COMMAND = Question(command="rate_limit", destination=("w",), reads=False)
BINDINGS = "_kombu.binding.reply.celery.pidbox"
CROWD = [f"p{number:02}" for number in range(30)]


def pong(_command: str, _index: int) -> object:
    """Answer at once."""
    return {"ok": "pong"}


@pytest.fixture
def app(site: Site) -> Iterator[Celery]:
    """The app that simulated workers run."""
    with closed_app(site.app()) as app:
        yield app


@pytest.fixture
def one(app: Celery) -> Iterator[Responder]:
    """A simulated worker."""
    with responders(app, ["w"], pong) as (worker,):
        yield worker


@pytest.fixture
def admin(site: Site) -> Iterator[redis.Redis]:
    """The broker's own client."""
    with redis.Redis.from_url(site.broker_url, decode_responses=True) as client:
        yield client


@pytest.mark.parametrize("names", [["w"], CROWD], ids=["one", "many"])
def test_replies_come_through_where_the_brokers_keys_have_a_prefix(
    site: Site, names: list[str]
) -> None:
    with closed_app(site.app()) as app:
        app.conf.broker_transport_options = {"global_keyprefix": "ours:"}
        app.conf.broker_pool_limit = len(CROWD)
        fleet = Fleet(app)
        try:
            with responders(app, names, pong):
                for reads in (True, False):
                    question = Question(command="ping", reads=reads)
                    answers = fleet.broadcaster.ask(Deadline.after(20), question)
                    assert answers.receivers == len(names)
                    assert sorted(reply.worker for reply in answers.replies) == names
        finally:
            fleet.close()


@pytest.mark.parametrize("question", [PING, COMMAND], ids=["read", "command"])
@pytest.mark.usefixtures("one")
def test_a_redis_that_was_emptied_between_two_questions_brings_the_replies_of_the_second(
    fleet: Fleet, admin: redis.Redis, question: Question
) -> None:
    assert fleet.broadcaster.ask(Deadline.after(5), question).complete
    admin.delete(BINDINGS)
    answers = fleet.broadcaster.ask(Deadline.after(5), question)
    assert [reply.worker for reply in answers.replies] == ["w"]


def test_a_command_whose_answers_could_not_come_back_is_not_sent(
    fleet: Fleet, admin: redis.Redis, one: Responder
) -> None:
    assert fleet.broadcaster.ask(Deadline.after(5), PING).complete
    admin.delete(BINDINGS)
    admin.set(BINDINGS, "no set")
    try:
        for question in (COMMAND, PING):
            with pytest.raises(Away, match="refuses"):
                fleet.broadcaster.ask(Deadline.after(5), question)
    finally:
        admin.delete(BINDINGS)
    assert fleet.broadcaster.ask(Deadline.after(5), PING).complete
    assert COMMAND.command not in one.heard


def test_a_command_is_confirmed_though_our_idle_connections_were_closed_meanwhile(
    fleet: Fleet, admin: redis.Redis, one: Responder
) -> None:
    assert fleet.broadcaster.ask(Deadline.after(5), PING).complete
    for client in admin.client_list():
        if client["name"] == CLIENT_NAME:
            admin.client_kill_filter(_id=client["id"])
    answers = fleet.broadcaster.ask(Deadline.after(5), COMMAND)
    assert answers.interrupted is None
    assert [reply.worker for reply in answers.replies] == ["w"]
    assert one.heard.count(COMMAND.command) == 1


def test_a_broken_or_pickled_reply_among_good_ones_is_counted_and_costs_no_other(
    site: Site, app: Celery, fleet: Fleet, admin: redis.Redis
) -> None:
    strange = [b"{", b"[]", b"\xff", enveloped(b"{"), enveloped(b"[1]"), enveloped(b'{"w": NaN')]

    def answer(_command: str, index: int) -> object:
        if index == 0:
            push_pickled(site)
            for binding in admin.smembers(BINDINGS):
                admin.lpush(str(binding).rpartition("\x06\x16")[2], *strange)
        return {"ok": index}

    with responders(app, ["first", "second"], answer):
        answers = fleet.broadcaster.ask(Deadline.after(10), PING)
        again = fleet.broadcaster.ask(Deadline.after(10), PING)

    assert sorted(reply.worker for reply in answers.replies) == ["first", "second"]
    assert again.complete
    assert answers.unreadable + again.unreadable == 2 * (len(strange) + 1)


def test_a_reply_with_what_only_kombus_json_can_say_is_read_as_kombu_does(
    app: Celery, fleet: Fleet
) -> None:
    with responders(app, ["w"], lambda _command, _index: {"raw": b"\x00", "not": float("nan")}):
        (reply,) = fleet.broadcaster.ask(Deadline.after(5), PING).replies
    assert reply.body["raw"] == b"\x00"
    assert reply.body["not"] != reply.body["not"]


def test_a_wait_that_a_server_never_ends_is_called_gone(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server that lives ends each wait within a second: else its connection is half open, and hears nothing."""
    monkeypatch.setattr(redis_replies, "SOCKET_SECONDS", 0.2)
    with (
        proxy_to(site.broker_url) as between,
        closed_app(tiny_app(between.url(site.broker_url), None)) as app,
    ):
        line = Line(app, lambda _names: None)
        line.listen(0.01)
        between.black_hole()
        with pytest.raises(redis.ConnectionError, match="not answered"):
            wait_until(lambda: line.listen(0.05), what="the connection is called gone")
        line.drop()


def test_a_question_runs_no_script_on_the_server_once_its_connection_is_there(
    app: Celery, admin: redis.Redis
) -> None:
    def calls(command: str) -> int:
        return int(admin.info("commandstats").get(f"cmdstat_{command}", {"calls": 0})["calls"])

    line = Line(app, lambda _names: None)
    try:
        line.send(Asked(question=PING), Deadline.after(5))
        before = calls("evalsha"), calls("publish")
        line.send(Asked(question=PING), Deadline.after(5))
        assert (calls("evalsha"), calls("publish")) == (before[0], before[1] + 1)
    finally:
        line.close()


@pytest.mark.parametrize("question", [PING, COMMAND], ids=["read", "command"])
def test_listening_has_begun_when_a_question_is_sent(
    app: Celery, admin: redis.Redis, question: Question
) -> None:
    """While the workers read it: each command that is sent later takes a processor from them."""
    line = Line(app, lambda _names: None)
    try:
        line.send(Asked(question=question), Deadline.after(5))
        said = [one["cmd"] for one in admin.client_list() if one["name"] == CLIENT_NAME]
        assert "brpop" in said
    finally:
        line.close()
