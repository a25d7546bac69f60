"""A revoke by filter freezes the exact tasks that it showed."""

import pytest

from knowledge_base_agent.clock import utc_now
from knowledge_base_agent.problems import Misunderstood
from knowledge_base_agent.records.database import writing
from knowledge_base_agent.records.tables import TASKS
from knowledge_base_agent.understand import understand
from tests.operations.place import Place, notes, row_of
from tests.operations.test_filters import remember
from tests.waiting import wait_until


def test_the_running_tasks_of_a_name_are_stopped_and_a_later_one_runs_on(here: Place) -> None:
    first = here.send("sleep", 61)
    here.site.row_in(first, "STARTED")
    preview = here.previews("revoke --name history.sl* --state STARTED")
    assert preview.affected == 1
    again = preview.report.actions[0]
    assert again.words == "revoke '--name=history.sl*' --state=STARTED --terminate"
    stopping = here.previews(again.words)
    later = here.send("sleep", 62)
    here.site.row_in(later, "STARTED")
    report = here.confirms(stopping)
    assert row_of(report, first).cells[0] == "stopped"
    wait_until(lambda: later in str(here.asks("active")), what="the later one runs on")
    here.site.row_in(first, "REVOKED")
    assert here.previews("revoke --name history.sl* --since 1h").affected == 1
    here.confirms(here.previews(f"revoke {later} --terminate"))


def test_more_than_a_thousand_are_capped_with_a_sentence(here: Place) -> None:
    remember(here.deployment.engine, "eldest", hours=9, name="many.tasks", state="PENDING")
    row = {"name": "many.tasks", "state": "PENDING", "attempt": 1, "retries": 0}
    many = [{**row, "id": f"many-{n}", "updated_at": utc_now()} for n in range(1005)]
    with writing(here.deployment.engine) as connection:
        connection.execute(TASKS.insert(), many)
    preview = here.previews("revoke --name many.tasks")
    assert preview.affected == 1000
    assert "More than 1,000 tasks fit: these are the 1,000 oldest" in notes(preview.report)
    assert "eldest" in str(preview.report)


def test_no_task_that_fits_asks_for_no_confirmation(here: Place) -> None:
    report = here.asks("revoke --name nothing.like.this")
    assert report.text == "The rows know no unfinished tasks named nothing.like.this."


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("revoke --name x --all-active", "or words that choose tasks"),
        ("revoke abc --name x", "or words that choose tasks"),
        ("revoke", "give one of the three: ids of tasks"),
        ("revoke --state SUCCESS", "has ended can't be revoked"),
    ],
)
def test_two_ways_to_choose_at_once_are_refused(words: str, said: str) -> None:
    with pytest.raises(Misunderstood) as caught:
        understand(words)
    assert said.lower() in caught.value.what.lower()
