"""A worker that shuts down hears nobody and still runs what it had begun: no orphan, not to be run again."""

import os
import signal
from collections.abc import Iterator

import pytest

from knowledge_base_agent.fleet.deadline import Deadline
from knowledge_base_agent.operations import stuck, stuckness, task_accounts
from knowledge_base_agent.problems import NotFound
from tests.operations.place import Place, notes, place, row_of
from tests.operations.test_flush import add_keys, keys
from tests.servers import RedisSpaces
from tests.waiting import wait_until


@pytest.fixture
def here(
    redis_spaces: RedisSpaces,
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Place]:
    """A deployment whose worker a test may end, and whose rows settle within a moment."""
    settling = stuckness.SETTLING / 30
    for module in (stuck, stuckness, task_accounts):
        monkeypatch.setattr(module, "SETTLING", settling)
    with redis_spaces.one() as space, place(space, tmp_path_factory.mktemp("leaving")) as found:
        yield found


def end_the_worker(here: Place, how: signal.Signals) -> None:
    def heard() -> int | None:
        return here.deployment.fleet.workers.look(Deadline.after(2), fresh=True).receivers

    (worker,) = here.deployment.fleet.workers.look(Deadline.after(2), fresh=True).workers
    assert worker.pid is not None
    os.kill(worker.pid, how)
    wait_until(lambda: heard() == 0, what="it hears nobody any more")


def test_a_task_that_a_leaving_worker_finishes_is_not_called_orphaned_nor_sent_again(
    here: Place,
) -> None:
    running = here.send("tell", 1, 8.0)
    here.site.row_in(running, "PROGRESS")
    logs = here.deployment.settings.logs_url
    wait_until(lambda: f"logs:{running}" in keys(logs), what="it has logged")
    add_keys(logs, "logs", 1)
    end_the_worker(here, signal.SIGTERM)

    report = wait_until(lambda: listed(here, running), what="its row has settled")
    assert "1 perhaps finishing" in report[0]
    assert "may still be finishing this" in report[1]
    card = here.asks(f"task {running}")
    assert "may still be finishing this" in notes(card)
    assert "orphaned" not in notes(card)
    with pytest.raises(NotFound, match="was shut down and may be finishing it"):
        here.previews(f"retry {running}")
    revoke = here.previews(f"revoke {running}").report
    assert "1 task of which it is not known whether it runs" in revoke.text
    here.confirms(here.previews("flush"))
    assert keys(logs) == {f"logs:{running}"}, "its own log stays"
    here.site.row_in(running, "SUCCESS")


def listed(here: Place, task_id: str) -> tuple[str, ...]:
    report = here.asks("stuck")
    if task_id not in str(report):
        return ()
    row = row_of(report, task_id)
    return report.text, str(row.cells[2])


def test_a_task_of_a_killed_worker_is_orphaned(here: Place) -> None:
    running = here.send("sleep", 60)
    here.site.row_in(running, "STARTED")
    end_the_worker(here, signal.SIGKILL)
    report = wait_until(lambda: listed(here, running), what="its row has settled")
    assert "1 orphaned" in report[0]
    assert "orphaned" in notes(here.asks(f"task {running}"))
