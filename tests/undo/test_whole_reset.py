"""A complete reset is the sum of its steps, and so is its undo."""

import pytest

from knowledge_base_agent.clock import utc_now
from knowledge_base_agent.problems import NotFound
from knowledge_base_agent.records.agent_state import read_agent_state, set_running
from knowledge_base_agent.records.database import reading, writing
from tests.operations.crew import Crew
from tests.servers import RedisSpace
from tests.undo.seen import database
from tests.undo.test_cleared_rows import everything, fill


def build_up(alone: Crew, space: RedisSpace) -> None:
    """Let there be messages, rows with all that tasks leave, and an agent that is said to run."""
    for priority in (0, 9, 3):
        alone.send("quick", priority=priority)
    fill(alone, space)
    with writing(alone.deployment.engine) as connection:
        set_running(connection, task_id="t", source="docs", phase="parse", started_at=utc_now())


def agent(alone: Crew) -> object:
    with reading(alone.deployment.engine) as connection:
        return read_agent_state(connection)


@pytest.mark.timeout(180)
def test_a_complete_reset_is_taken_back_as_a_whole(alone: Crew, redis_space: RedisSpace) -> None:
    build_up(alone, redis_space)
    before = (everything(alone, redis_space), database(redis_space.broker_url), agent(alone))
    preview = alone.previews("reset --complete --reason test")
    assert "For 24 h `undo` can bring them back" in preview.report.text
    report = alone.confirms(preview)
    assert report.succeeded, report
    emptied = (everything(alone, redis_space), database(redis_space.broker_url), agent(alone))
    assert all(one != other for one, other in zip(before, emptied, strict=True))

    (button,) = [one for one in report.actions if one.label == "Undo"]
    done = alone.confirms(alone.previews(f"{button.words} --reason test"))
    assert done.succeeded, done
    after = (everything(alone, redis_space), database(redis_space.broker_url), agent(alone))
    assert after == before


@pytest.mark.timeout(180)
def test_a_reset_without_undo_keeps_nothing(alone: Crew, redis_space: RedisSpace) -> None:
    build_up(alone, redis_space)
    preview = alone.previews("reset --complete --no-undo --reason test")
    assert "For good: nothing is kept to undo it" in preview.report.text
    report = alone.confirms(preview)
    assert report.succeeded, report
    assert not [one for one in report.actions if one.label == "Undo"]
    assert database(redis_space.broker_url) == {}
    with pytest.raises(NotFound, match="has put nothing aside"):
        alone.previews("undo op-1")


@pytest.mark.timeout(180)
def test_where_the_agent_has_never_run_a_reset_is_taken_back_as_well(
    alone: Crew, redis_space: RedisSpace
) -> None:
    alone.send("quick")
    before = (agent(alone), database(redis_space.broker_url))
    report = alone.confirms(alone.previews("reset --complete --reason test"))
    (button,) = [one for one in report.actions if one.label == "Undo"]
    assert alone.confirms(alone.previews(f"{button.words} --reason test")).succeeded
    assert (agent(alone), database(redis_space.broker_url)) == before
