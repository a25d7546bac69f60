"""A question on a connection that lives is asked in its asker's own thread, which nothing keeps beyond the deadline."""

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from celery import Celery

from knowledge_base_agent.fleet import broadcast, redis_replies
from knowledge_base_agent.fleet.deadline import Deadline
from knowledge_base_agent.fleet.fleet import Fleet
from knowledge_base_agent.fleet.question import Question
from knowledge_base_agent.problems import Away
from tests.closing import closed_app
from tests.faults.proxy import Proxy
from tests.fleet.asking_here import HARMS, refuse
from tests.fleet.responder import responders
from tests.fleet.running import Site
from tests.fleet.tiny_app import tiny_app

PING = Question(command="ping")
COMMAND = Question(command="rate_limit", destination=("w",), reads=False)
LONG = {"ok": "pong" * 50}


@pytest.fixture
def asker(site: Site, between: Proxy) -> Iterator[Fleet]:
    """A fleet that has asked one worker once, through that."""
    with (
        closed_app(site.app()) as theirs,
        closed_app(tiny_app(between.url(site.broker_url), None)) as app,
        responders(theirs, ["w"], lambda _command, _index: LONG),
    ):
        fleet = Fleet(app)
        assert fleet.broadcaster.ask(Deadline.after(5), PING).complete
        yield fleet
        between.heal()
        fleet.close()


def test_no_other_thread_is_asked_where_a_connection_lives(
    asker: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(broadcast, "within", refuse)
    for _ in range(3):
        answers = asker.broadcaster.ask(Deadline.after(5), PING)
        assert [(reply.worker, reply.body) for reply in answers.replies] == [("w", LONG)]
        assert answers.complete


@pytest.mark.parametrize("change", [None, "a command", "a connection that broke", "a long pause"])
def test_another_thread_is_asked_for_whatever_may_take_its_time(
    asker: Fleet, between: Proxy, monkeypatch: pytest.MonkeyPatch, change: str | None
) -> None:
    monkeypatch.setattr(broadcast, "within", refuse)
    if change == "a connection that broke":
        between.cut()
    if change == "a long pause":
        monkeypatch.setattr(redis_replies, "_TENDED_SECONDS", 0.0)
    question = COMMAND if change == "a command" else PING
    if change is None:
        assert asker.broadcaster.ask(Deadline.after(5), question).complete
    else:
        with pytest.raises(AssertionError, match="another thread"):
            asker.broadcaster.ask(Deadline.after(5), question)


@HARMS
def test_a_broker_that_falls_silent_or_answers_in_drops_keeps_nobody_beyond_the_deadline(
    asker: Fleet, between: Proxy, harm: Callable[[Any], None]
) -> None:
    harm(between)
    started = time.monotonic()
    try:
        answers = asker.broadcaster.ask(Deadline.after(0.6), PING)
    except Away:
        pass
    else:
        assert not answers.replies
        assert answers.complete is False
    assert time.monotonic() - started < 1
    between.heal()
    assert asker.broadcaster.ask(Deadline.after(5), PING).complete


def test_a_worker_that_is_silent_is_named_as_when_another_thread_asks(
    site: Site, app: Celery
) -> None:
    def slowly(_command: str, _index: int) -> object:
        time.sleep(0.8)
        return {"ok": "late"}

    with closed_app(site.app()) as own, responders(app, ["one"], lambda *_: {"ok": "pong"}):
        fleet = Fleet(own)
        try:
            with responders(app, ["two"], slowly):
                assert fleet.broadcaster.ask(Deadline.after(5), PING).complete
                answers = fleet.broadcaster.ask(Deadline.after(0.4), PING)
            assert ([one.worker for one in answers.replies], answers.silent) == (["one"], ("two",))
        finally:
            fleet.close()


@pytest.fixture
def app(site: Site) -> Iterator[Celery]:
    """The app that simulated workers run."""
    with closed_app(site.app()) as app:
        yield app
