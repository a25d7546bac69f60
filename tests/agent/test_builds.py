"""Counting documents to the last one, whoever ends when."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from knowledge_base_agent.agent.builds import Builds
from knowledge_base_agent.agent.library import Library
from knowledge_base_agent.agent.settling import settle
from knowledge_base_agent.agent.sources import Listed
from knowledge_base_agent.celery_app import make_app
from knowledge_base_agent.problems import Refused
from tests.servers import RedisSpace

NAMES = [f"/b/{number}.md" for number in range(12)]
_LONG_AGO = timedelta(days=-1)


def planned(builds: Builds, build_id: str, source: str = "/b") -> None:
    builds.begin(build_id, source)
    builds.plan(build_id, [(Listed(location=name, heading="b"), f"task-{name}") for name in NAMES])


def test_of_documents_that_end_at_the_same_moment_one_alone_is_the_last(library: Library) -> None:
    planned(library.builds, "run-1")
    with ThreadPoolExecutor(8) as people:
        left = list(people.map(lambda name: library.builds.done("run-1", name), NAMES))
    assert sorted(left) == list(range(len(NAMES)))


def test_of_runs_of_one_source_asked_for_at_the_same_moment_one_alone_begins(
    library: Library,
) -> None:
    def begin(number: int) -> bool:
        try:
            library.builds.begin(f"run-{number}", "/b")
        except Refused:
            return False
        return True

    with ThreadPoolExecutor(8) as people:
        assert sum(people.map(begin, range(8))) == 1
    library.builds.begin("elsewhere", "/c")
    assert len(library.builds.under_way()) == 2


def test_a_run_is_refused_while_one_is_under_way_and_not_when_that_one_is_lost(
    library: Library,
) -> None:
    planned(library.builds, "run-1")
    with pytest.raises(Refused, match="run-1"):
        library.builds.begin("run-2", "/b")
    Builds(library.engine, time_limit=_LONG_AGO).begin("run-2", "/b")
    assert [build.id for build in library.builds.under_way()] == ["run-2"]


def test_documents_whose_worker_vanished_are_given_up_when_none_can_still_be_running(
    library: Library, redis_space: RedisSpace
) -> None:
    settings = library.settings.model_copy(
        update={"broker_url": redis_space.broker_url, "result_backend": redis_space.result_url}
    )
    planned(library.builds, "run-1")
    library.builds.began("run-1", NAMES[0])
    library.builds.done("run-1", NAMES[1])
    with make_app(settings) as app:
        assert settle(app, library.builds, "run-1") == len(NAMES) - 1
        lost = Builds(library.engine, time_limit=_LONG_AGO)
        assert settle(app, lost, "run-1") == 0
    assert (library.builds.counts("run-1").done, library.builds.counts("run-1").failed) == (1, 11)
    library.builds.done("run-1", NAMES[0])
    assert library.builds.counts("run-1").done == 2, "one that comes in after all counts as read"


def test_a_document_s_own_word_on_its_end_is_not_replaced_by_a_guess(library: Library) -> None:
    planned(library.builds, "run-1")
    library.builds.done("run-1", NAMES[0])
    library.builds.failed_unsaid("run-1", NAMES[0], "its task was revoked")
    assert library.builds.counts("run-1").failed == 0


def test_a_build_moves_through_its_phases_and_never_back(library: Library) -> None:
    planned(library.builds, "run-1")
    assert library.builds.reach("run-1", "index")
    assert not library.builds.reach("run-1", "parse")
    assert library.builds.counts("run-1").phase == "index"


def test_a_run_that_never_listed_its_documents_leaves_the_earlier_one_standing(
    library: Library,
) -> None:
    planned(library.builds, "run-1")
    library.builds.end("run-1")
    library.builds.begin("run-2", "/b")
    library.builds.end("run-2")
    assert library.builds.find("run-2") is None
    assert library.builds.counts("run-1").planned == len(NAMES)
