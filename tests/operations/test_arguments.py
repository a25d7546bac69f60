"""`--arguments`: from real workers, ours and others', from kept messages and stored results; capped, never redacted."""

from collections.abc import Iterator

import pytest
from sqlalchemy import select

from knowledge_base_agent.records.database import reading
from knowledge_base_agent.records.road_tables import AUDIT
from knowledge_base_agent.report import Preformatted, Report
from tests.operations.crew import Crew, crew
from tests.operations.place import Place, notes
from tests.servers import RedisSpaces
from tests.waiting import wait_until

SECRET = "hunter2-hunter2"
BIG = "x" * 2_000_000


@pytest.fixture(scope="module", params=["1", "0"], ids=["our worker", "foreign worker"])
def crews(
    redis_spaces: RedisSpaces,
    tmp_path_factory: pytest.TempPathFactory,
    request: pytest.FixtureRequest,
) -> Iterator[Crew]:
    """One worker with one slot, that knows our commands or does not."""
    with redis_spaces.one() as space, crew(space, tmp_path_factory.mktemp("crew")) as found:
        found.hire("one", "-c", "1", TINY_KNOWS_LOOK=request.param)
        yield found


def test_each_list_shows_arguments_only_where_they_are_asked_for(crews: Crew) -> None:
    secret = {"token": SECRET, "big": BIG}
    ids = {
        "active": crews.send("nap", 6, kwargs=secret),
        "reserved": crews.send("nap", 0, kwargs=secret),
        "scheduled": crews.send("nap", 0, kwargs=secret, countdown=300),
    }
    for words, task in ids.items():
        bare = _lists(crews, words, task)
        assert SECRET not in str(bare)
        assert not bare.raw_of
        told = crews.asks(f"{words} --arguments")
        assert SECRET in str(told)
        assert len(str(told)) < 20_000, "two megabytes of argument stay where they are"
        assert told.raw_of == (task,)
        assert told.private
    query = select(AUDIT.c.detail).where(AUDIT.c.kind == "shown")
    with reading(crews.deployment.engine) as connection:
        shown = connection.execute(query).scalars().all()
    assert all(any(task in one for one in shown) for task in ids.values())
    assert not any(SECRET in one for one in shown)


def _lists(crews: Crew, words: str, task: str) -> Report:
    wait_until(lambda: task in str(crews.asks(words)), what=f"{task} in {words}")
    return crews.asks(words)


def test_the_card_shows_what_a_task_that_has_ended_was_called_with_and_returned(
    here: Place,
) -> None:
    task = here.send("add", 20, 22, kwargs={"token": SECRET})
    here.site.row_in(task, "SUCCESS")
    wait_until(
        lambda: SECRET in str(here.asks(f"task {task} --arguments")), what="its message is kept"
    )
    card = here.asks(f"task {task} --arguments")
    texts = {part.title: part.text for part in card.parts if isinstance(part, Preformatted)}
    assert texts["Result, as it is"] == "42"
    assert card.raw_of == (task,)
    assert SECRET not in str(here.asks(f"task {task}"))


def test_arguments_that_nobody_has_are_said_to_be_unknown(here: Place) -> None:
    task = here.send("add", 1, 2, kwargs={"big": "x" * 70_000})
    here.site.row_in(task, "SUCCESS")
    card = here.asks(f"task {task} --arguments")
    assert "Its arguments are unknown" in notes(card)
