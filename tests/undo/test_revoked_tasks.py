"""Revoked tasks that did not finish are sent again; which can't be, and why, is said."""

from collections.abc import Iterator

import pytest

from knowledge_base_agent.problems import NotFound
from knowledge_base_agent.records.database import reading
from knowledge_base_agent.records.task_messages import kept_messages
from knowledge_base_agent.records.task_retries import retried_as
from knowledge_base_agent.report import Report
from tests.operations.place import Place, place
from tests.servers import RedisSpaces
from tests.waiting import wait_until


@pytest.fixture(scope="module")
def here(redis_spaces: RedisSpaces, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """A deployment with a worker of two slots and a recorder."""
    with redis_spaces.one() as space, place(space, tmp_path_factory.mktemp("place")) as found:
        yield found


def undo_of(report: Report) -> str:
    (button,) = [one for one in report.actions if one.label == "Undo"]
    return button.words


def test_a_task_that_was_stopped_is_sent_again_under_a_new_id(here: Place) -> None:
    stopped = here.send("sleep", 60)
    wait_until(lambda: stopped in str(here.asks("active")), what="it runs")
    report = here.confirms(here.previews(f"revoke {stopped} --terminate"))
    here.site.row_in(stopped, "REVOKED")
    preview = here.previews(undo_of(report))
    assert "1 revoked task, to be sent again under a new id" in preview.report.text
    done = here.confirms(preview)
    with reading(here.deployment.engine) as connection:
        new = retried_as(connection, [stopped])[stopped]
    assert done.text == f"Brought back 1 revoked task, sent again as {new}."
    wait_until(lambda: new in str(here.asks("active")), what="the new one runs")
    wait_until(lambda: _kept(here, new), what="its message is recorded")
    with pytest.raises(NotFound, match="has done that already"):
        here.previews(undo_of(report))
    here.confirms(here.previews(f"revoke {new} --terminate"))


def test_what_ended_before_the_revoke_came_is_not_done_twice(here: Place) -> None:
    quick = here.send("sleep", 1)
    wait_until(lambda: quick in str(here.asks("active")), what="it runs")
    report = here.confirms(here.previews(f"revoke {quick}"))
    here.site.row_in(quick, "SUCCESS")
    shown = here.asks(undo_of(report))
    assert "it was revoked too late, and ended: SUCCESS" in str(shown.parts)
    with reading(here.deployment.engine) as connection:
        assert retried_as(connection, [quick]) == {}


def _kept(here: Place, task_id: str) -> bool:
    with reading(here.deployment.engine) as connection:
        return task_id in kept_messages(connection, [task_id])
