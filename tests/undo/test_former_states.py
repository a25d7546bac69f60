"""The agent's state, pauses and rate limits come back as they were, and workers are seen to follow."""

from collections.abc import Iterator

import pytest
from sqlalchemy import select

from knowledge_base_agent.clock import utc_now
from knowledge_base_agent.fleet.deadline import Deadline
from knowledge_base_agent.fleet.rate_limits import rates_of
from knowledge_base_agent.keeping import Keeper
from knowledge_base_agent.problems import NotFound
from knowledge_base_agent.records.agent_state import AgentState, read_agent_state, set_running
from knowledge_base_agent.records.database import reading, writing
from knowledge_base_agent.records.standing_orders_tables import PAUSES
from knowledge_base_agent.report import Report
from tests.operations.crew import Crew, crew
from tests.operations.place import notes, table
from tests.servers import RedisSpaces
from tests.undo.seen import database


@pytest.fixture(scope="module")
def here(redis_spaces: RedisSpaces, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Crew]:
    """Two workers."""
    with redis_spaces.one() as space, crew(space, tmp_path_factory.mktemp("crew")) as found:
        found.hire("first", "-c", "1")
        found.hire("second", "-c", "1")
        yield found


def undo_of(report: Report) -> str:
    (button,) = [one for one in report.actions if one.label == "Undo"]
    return button.words


def agent(shell: Crew) -> AgentState:
    with reading(shell.deployment.engine) as connection:
        return read_agent_state(connection)


def run_agent(shell: Crew, task_id: str) -> AgentState:
    now = utc_now()
    with writing(shell.deployment.engine) as connection:
        set_running(connection, task_id=task_id, source="docs", phase="parse", started_at=now)
    return agent(shell)


def pauses(shell: Crew) -> list[tuple[object, ...]]:
    with reading(shell.deployment.engine) as connection:
        return [tuple(row) for row in connection.execute(select(PAUSES))]


def consumers(shell: Crew) -> set[str]:
    return {name for name in ("first", "second") if "celery" in (shell.seen(name).queues or ())}


def rates(shell: Crew) -> dict[str, str]:
    return rates_of(shell.deployment.fleet, Deadline.after(2), "tiny.nap")


def test_the_agents_former_state_comes_back_field_by_field(alone: Crew) -> None:
    before = run_agent(alone, "gone")
    report = alone.confirms(alone.previews("reset-agent"))
    assert agent(alone).status == "idle"
    done = alone.confirms(alone.previews(undo_of(report)))
    assert "Brought back 1 agent state (running)" in done.text
    assert agent(alone) == before


def test_a_state_that_the_agent_has_taken_since_is_not_overwritten(alone: Crew) -> None:
    run_agent(alone, "gone")
    report = alone.confirms(alone.previews("reset-agent"))
    newer = run_agent(alone, "fresh")
    shown = alone.asks(undo_of(report))
    assert "not 1 agent state (running)" in shown.text
    assert "it has changed since: it is running now" in str(shown.parts)
    assert agent(alone) == newer


def test_a_pause_is_taken_back_and_the_workers_are_seen_to_consume_again(here: Crew) -> None:
    before = pauses(here)
    report = here.asks("pause celery")
    assert consumers(here) == set()
    done = here.confirms(here.previews(undo_of(report)))
    assert consumers(here) == {"first", "second"}
    assert pauses(here) == before == []
    assert "2 of 2 workers seen to do so" in str(done.parts)


def test_a_resume_is_taken_back_with_its_former_end_and_name(here: Crew) -> None:
    here.asks("pause celery --for 2h")
    before = pauses(here)
    report = here.asks("resume celery")
    assert consumers(here) == {"first", "second"}
    here.confirms(here.previews(undo_of(report)))
    assert pauses(here) == before
    assert consumers(here) == set()
    here.asks("resume celery")


def test_a_pause_that_replaced_another_gives_the_former_back(here: Crew) -> None:
    here.asks("pause celery --for 2h")
    before = pauses(here)
    report = here.asks("pause celery --for 30m")
    assert pauses(here) != before
    here.confirms(here.previews(undo_of(report)))
    assert pauses(here) == before
    here.asks("resume celery")


def test_a_pause_that_somebody_has_ended_since_is_left_alone(here: Crew) -> None:
    report = here.asks("pause celery")
    here.asks("resume celery")
    here.asks("pause celery --for 3h")
    before = pauses(here)
    shown = here.asks(undo_of(report))
    assert "somebody has paused or resumed it since" in str(shown.parts)
    assert pauses(here) == before
    here.asks("resume celery")


def test_a_pause_whose_former_time_is_over_does_not_come_back(here: Crew) -> None:
    here.asks("pause celery --for 1h")
    report = here.asks("resume celery")
    with writing(here.deployment.engine) as connection:
        text = 'UPDATE keepsakes SET kept = replace(kept, \'"until": "2\', \'"until": "1\')'
        connection.exec_driver_sql(text)
    shown = here.asks(undo_of(report))
    assert "which is over" in str(shown.parts)
    assert consumers(here) == {"first", "second"}


def test_rate_limits_come_back_worker_by_worker_by_their_own_word(here: Crew) -> None:
    app = here.deployment.app
    app.control.rate_limit("tiny.nap", "7/m", destination=["first@here"], reply=True)
    before = rates(here)
    assert before == {"first@here": "7/m", "second@here": "0"}
    report = here.asks("workers rate-limit tiny.nap 10/m")
    assert rates(here) == {"first@here": "10/m", "second@here": "10/m"}
    preview = here.previews(undo_of(report))
    assert set(table(preview.report, "What comes back")) == {
        "rate of tiny.nap on first@here (7/m)",
        "rate of tiny.nap on second@here (no limit)",
    }
    here.confirms(preview)
    assert rates(here) == before


def test_a_rate_that_was_changed_since_is_not_overwritten(here: Crew) -> None:
    report = here.asks("workers rate-limit tiny.nap 10/m")
    here.deployment.app.control.rate_limit(
        "tiny.nap", "3/m", destination=["second@here"], reply=True
    )
    done = here.confirms(here.previews(undo_of(report)))
    assert "it has been 3/m since" in str(done.parts)
    assert rates(here)["second@here"] == "3/m"
    here.asks("workers rate-limit tiny.nap none")


def test_what_is_over_is_freed_and_can_not_be_undone_any_more(alone: Crew) -> None:
    broker = alone.deployment.settings.broker_url
    alone.send("quick")
    alone.confirms(alone.previews("purge --reason test"))
    assert [key for key in database(broker) if key.startswith(b"kb:undo:")]
    assert "Aside for `undo`: of 1 run, about" in notes(alone.asks("stats"))
    keeper = Keeper(deployment=alone.deployment)
    assert keeper.keep() == (), "its time is not over"
    with writing(alone.deployment.engine) as connection:
        connection.exec_driver_sql("UPDATE keepsakes SET expires_at = '2026-01-01 00:00:00.000000'")
    assert "should have been freed" in str(alone.asks("doctor").parts)
    (done,) = Keeper(deployment=alone.deployment).keep()
    assert done == "op-1 can't be undone any more: its messages put aside are freed"
    assert not [key for key in database(broker) if key.startswith(b"kb:undo:")]
    assert "Aside for" not in notes(alone.asks("stats"))
    with pytest.raises(NotFound, match="the time for it was over at 2026-01-01 00:00 UTC"):
        alone.previews("undo op-1")
    assert Keeper(deployment=alone.deployment).keep() == ()
