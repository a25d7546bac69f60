"""Tracking in clients: one line for any Celery project, and only of that project."""

import contextlib
from typing import Any

import pytest
from celery import Celery
from kombu.exceptions import EncodeError
from redis import Redis

from knowledge_base_agent.records.stream import FIELD, HISTORY_KEY, Entry, decode
from knowledge_base_agent.records.tracking import track
from tests.servers import RedisSpace, RedisSpaces


def published(url: str) -> list[Entry]:
    with contextlib.closing(Redis.from_url(url)) as client:
        found: Any = client.xrange(HISTORY_KEY)
    return [decode(fields[FIELD]) for _, fields in found]


def foreign_app(space: RedisSpace) -> Celery:
    """An app that is not ours and has none of our settings."""
    return Celery("theirs", broker=space.broker_url, set_as_current=False)


def test_one_line_makes_another_projects_published_tasks_known(redis_space: RedisSpace) -> None:
    with foreign_app(redis_space) as app:
        tracking = track(app, redis_space.progress_url)
        task_id = app.send_task("theirs.task", ("a",), {"api_key": "k-12345"}, countdown=60).id
        tracking.stop()

    (entry,) = published(redis_space.progress_url)

    assert (entry.id, entry.state, entry.name) == (task_id, "PENDING", "theirs.task")
    assert entry.eta is not None
    assert "k-12345" not in (entry.args_repr or "")


def test_an_app_that_is_tracked_twice_is_told_of_once(redis_space: RedisSpace) -> None:
    with foreign_app(redis_space) as app:
        track(app, redis_space.progress_url)
        tracking = track(app, redis_space.progress_url)
        app.send_task("theirs.task")
        tracking.stop()
        app.send_task("theirs.unheard")

    assert [entry.name for entry in published(redis_space.progress_url)] == ["theirs.task"]


def test_two_apps_in_one_process_are_not_taken_for_each_other(
    redis_spaces: RedisSpaces, redis_space: RedisSpace
) -> None:
    with redis_spaces.one() as other, foreign_app(redis_space) as one, foreign_app(other) as two:
        first, second = track(one, redis_space.progress_url), track(two, other.progress_url)
        one.send_task("one.task")
        two.send_task("two.task")
        first.stop()
        second.stop()

        assert [entry.name for entry in published(redis_space.progress_url)] == ["one.task"]
        assert [entry.name for entry in published(other.progress_url)] == ["two.task"]


def test_a_task_that_could_not_be_published_is_not_pending(redis_space: RedisSpace) -> None:
    with foreign_app(redis_space) as app:
        tracking = track(app, redis_space.progress_url)
        with pytest.raises(EncodeError):
            app.send_task("theirs.task", (object(),))
        tracking.stop()

    assert published(redis_space.progress_url) == []
