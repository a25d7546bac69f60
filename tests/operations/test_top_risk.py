"""What each operation says of its own risk: which previews need two people, and whose names they touch."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from knowledge_base_agent.clock import utc_now
from knowledge_base_agent.operations.operation import Preview, Touched, given, touched
from knowledge_base_agent.problems import ReasonNeeded
from knowledge_base_agent.records import clear_names
from knowledge_base_agent.records.database import writing
from knowledge_base_agent.records.tables import TASKS
from knowledge_base_agent.settings import Settings
from knowledge_base_agent.two_people import why_two
from knowledge_base_agent.understand import understand
from tests.operations.place import Place, place
from tests.servers import RedisSpaces


@pytest.fixture(scope="module")
def here(redis_spaces: RedisSpaces, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """One worker that runs a task, with two queues in which messages wait, and an old failure."""
    folder: Path = tmp_path_factory.mktemp("top-risk")
    with redis_spaces.one() as space, place(space, folder) as found:
        failed = found.send("fail", "hunter2")
        found.site.row_in(failed, "FAILURE")
        with writing(found.deployment.engine) as connection:
            connection.execute(update(TASKS).values(updated_at=utc_now() - timedelta(hours=2)))
        running = found.send("sleep", 600)
        found.site.row_in(running, "STARTED")
        found.send("add", 1, 1, queue="mail")
        found.send("add", 1, 1, queue="orders")
        yield found


def preview_of(here: Place, words: str) -> Preview[Any]:
    understood = understand(words)
    preview = given(understood.operation.preview)
    found: Preview[Any] = preview(here.deployment, understood.arguments)
    return found


def why(here: Place, words: str, settings: Settings | None = None) -> str:
    return why_two(preview_of(here, words), settings or Settings())


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ("purge", "it purges every queue"),
        ("purge --queue mail", ""),
        ("clear --older-than 0 --status FAILURE", "it clears rows of any age"),
        ("clear --older-than 59s --status FAILURE", "it clears rows of any age"),
        ("clear --older-than 1m --status FAILURE", ""),
        ("clear --older-than 0 --status FAILURE --dry-run", ""),
        ("workers shutdown", "it ends every worker"),
        ("reset --complete", "it stops and removes everything"),
        ("reset --partial --longer-than 0s", ""),
        ("revoke --all-active", ""),
    ],
)
def test_the_top_risk_is_told_by_the_words(here: Place, words: str, reason: str) -> None:
    assert why(here, words) == reason


def test_every_worker_by_name_is_all_of_them(here: Place) -> None:
    (name,) = preview_of(here, "workers shutdown").target.workers
    assert why(here, f"workers shutdown {name}") == "it ends every worker"


def test_flushing_all_spares_nobody_and_flushing_spares_who_runs(here: Place) -> None:
    assert preview_of(here, "flush --all").grave == "it spares not even what running tasks told"
    assert preview_of(here, "flush").grave == ""
    assert preview_of(here, "flush").touches == Touched()


@pytest.mark.parametrize(
    ("words", "touches"),
    [
        ("purge --queue mail", touched(queues=["mail"], tasks=["history.add"])),
        ("revoke --all-active", touched(queues=["celery"], tasks=["history.sleep"])),
        ("workers shutdown", touched(queues=["celery", "agent"], tasks=["history.sleep"])),
    ],
)
def test_what_is_touched_is_named(here: Place, words: str, touches: Touched) -> None:
    found = preview_of(here, words).touches
    assert found.tasks == touches.tasks
    assert found.queues >= touches.queues
    assert found.all_tasks
    assert found.all_queues


def test_the_rows_that_a_clear_touches_are_asked_whose_they_are_where_some_are_protected(
    here: Place,
) -> None:
    settings = here.deployment.settings.model_copy(update={"protected": ("task:history.fail",)})
    protecting = replace(here, deployment=replace(here.deployment, settings=settings))
    words = "clear --older-than 1h --status FAILURE"
    assert preview_of(protecting, words).touches == touched(
        queues=["celery"], tasks=["history.fail"]
    )
    assert why(protecting, words, settings) == "protected task: history.fail"


def test_where_not_all_of_a_clears_rows_can_be_asked_whose_they_are_some_may_be_protected(
    here: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clear_names, "_WITHIN", -1.0)
    settings = here.deployment.settings.model_copy(update={"protected": ("task:shop.*",)})
    protecting = replace(here, deployment=replace(here.deployment, settings=settings))
    words = "clear --older-than 1h --status FAILURE"
    unknown = "some of its tasks can't be told, and some tasks are protected"
    assert why(protecting, words, settings) == unknown


def test_in_the_shell_the_top_risk_wants_a_reason_and_no_second_person(here: Place) -> None:
    with pytest.raises(ReasonNeeded, match=r"it purges every queue.*--reason"):
        here.previews("purge")
    pending = here.previews("purge --reason 'poisoned by deploy 42'")
    assert (pending.terms.reason, pending.terms.alone_from) == ("poisoned by deploy 42", None)
    assert here.confirms(pending).succeeded
