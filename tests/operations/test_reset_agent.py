"""The agent is said to be idle only where nothing of it runs; unknown counts as running."""

import re

import pytest

from knowledge_base_agent.clock import utc_now
from knowledge_base_agent.problems import Refused
from knowledge_base_agent.records.agent_state import AgentState, read_agent_state, set_running
from knowledge_base_agent.records.database import reading, writing
from knowledge_base_agent.settings import Settings
from tests.operations.place import Place, Shell, facts, notes, shell_on
from tests.waiting import wait_until


def say_running(shell: Shell, task_id: str) -> None:
    with writing(shell.deployment.engine) as connection:
        set_running(connection, task_id=task_id, source="docs", phase="parse", started_at=utc_now())


def state(shell: Shell) -> AgentState:
    with reading(shell.deployment.engine) as connection:
        return read_agent_state(connection)


def test_the_database_says_running_and_nothing_runs(here: Place) -> None:
    say_running(here, "gone-for-good")
    preview = here.previews("reset-agent")
    assert facts(preview.report, "Former state")["Task"] == "gone-for-good"
    report = here.confirms(preview)
    assert report.text == "Set the agent's state from running to idle."
    assert facts(report, "Former state")["Phase"] == "parse"
    assert state(here).status == "idle"
    assert here.asks("reset-agent").text == "The agent is idle already."


def test_an_agent_whose_task_really_runs_is_not_called_idle_unless_forced(here: Place) -> None:
    running = here.send("sleep", 60)
    wait_until(lambda: running in str(here.asks("active")), what="it runs")
    say_running(here, running)
    with pytest.raises(Refused, match=re.escape(f"revoke {running} --terminate")):
        here.previews("reset-agent")
    preview = here.previews("reset-agent --force")
    assert "This stops no task" in notes(preview.report)
    assert here.confirms(preview).succeeded
    assert state(here).status == "idle"
    here.confirms(here.previews(f"revoke {running} --terminate"))


def test_an_agent_that_has_moved_on_since_the_preview_is_left_alone(here: Place) -> None:
    say_running(here, "first")
    preview = here.previews("reset-agent")
    claimed = here.claims(here.previews("reset-agent"))
    say_running(here, "second")
    assert "1 state of the agent came" in here.finds_changed(preview).what
    report = here.executes(claimed)
    assert not report.succeeded
    assert "has changed since it was shown" in report.text
    assert state(here).task_id == "second"


def test_an_agent_that_nobody_can_be_asked_about_counts_as_running(database_url: str) -> None:
    settings = Settings(database_url=database_url, broker_url="redis://127.0.0.1:1/0")
    with shell_on(settings) as shell:
        say_running(shell, "one")
        with pytest.raises(Refused, match="whether it runs is unknown"):
            shell.previews("reset-agent")
        assert shell.confirms(shell.previews("reset-agent --force")).succeeded
        assert state(shell).status == "idle"
