"""Finding documents again by their words, the same on both databases."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st
from sqlalchemy.pool import QueuePool

from knowledge_base_agent.agent.build import Counts
from knowledge_base_agent.agent.fetching import Validators
from knowledge_base_agent.agent.index import Document, Index, open_index, words_of
from knowledge_base_agent.agent.library import Library
from knowledge_base_agent.agent.pages import page_name
from knowledge_base_agent.agent.sources import Listed
from knowledge_base_agent.problems import Misunderstood

FETCHED = datetime(2026, 3, 1, 12, tzinfo=UTC)


def document(location: str, title: str, body: str) -> Document:
    return Document(
        location=location,
        heading="book",
        title=title,
        body=body,
        words=len(body.split()),
        page=page_name(location),
        sha256="0" * 64,
        validators=Validators(etag='"1"'),
        fetched_at=FETCHED,
    )


@pytest.fixture
def index(library: Library) -> Index:
    filled = library.index
    filled.put(document("/b/valve.md", "The valve", "Turn it slowly. " * 40 + "Ölstand prüfen."))
    filled.put(
        document("/b/pump.md", "Pumps", "A pump needs oil; its valve does not. worker_timeout=3")
    )
    filled.put(document("/b/ops.md", "AND OR NOT", "Near the boiler, 3.11 is good."))
    return filled


def found(index: Index, words: str) -> list[str]:
    return [hit.location for hit in index.search(words)]


def test_a_word_in_the_title_comes_before_a_word_in_the_text(index: Index) -> None:
    assert found(index, "valve") == ["/b/valve.md", "/b/pump.md"]


def test_all_words_are_needed_in_any_case_with_or_without_accents_or_endings(index: Index) -> None:
    assert found(index, "VALVE pump") == ["/b/pump.md"]
    assert found(index, "olstand PRUFEN") == ["/b/valve.md"]
    assert found(index, "ölst") == ["/b/valve.md"]
    assert found(index, "timeout") == ["/b/pump.md"]
    assert found(index, "3.11") == ["/b/ops.md"]
    assert found(index, "valve boiler") == []


def test_words_that_are_search_syntax_elsewhere_are_only_words(index: Index) -> None:
    assert found(index, 'AND "OR') == ["/b/ops.md"]
    assert found(index, "NOT valve") == ["/b/pump.md"]
    assert found(index, "title:pumps") == []
    assert found(index, "pum* | ! & <-> ( '") == ["/b/pump.md"]


def test_a_snippet_shows_the_place_in_the_document_s_own_words(index: Index) -> None:
    (hit,) = index.search("olstand")
    assert hit.snippet.startswith("… ")
    assert hit.snippet.endswith("Turn it slowly. Ölstand prüfen.")
    assert (hit.title, hit.page) == ("The valve", page_name("/b/valve.md"))


def test_a_single_search_closes_its_connections_behind_it(library: Library, index: Index) -> None:
    once = open_index(library.settings)
    assert [hit.title for hit in once.search("oil")] == ["Pumps"]
    pool = once._engine.pool
    del once
    assert isinstance(pool, QueuePool)
    assert pool.checkedin() == 0


def test_nothing_to_search_for_says_so(index: Index) -> None:
    with pytest.raises(Misunderstood, match="no word"):
        index.search(" *?… ")


def test_a_document_put_again_takes_the_place_of_what_was_there(index: Index) -> None:
    index.put(document("/b/pump.md", "Fans", "A fan needs air."))
    assert found(index, "pump") == []
    assert found(index, "air") == ["/b/pump.md"]
    kept = index.find("/b/pump.md")
    assert kept is not None
    assert (kept.title, kept.fetched_at, kept.validators.etag) == ("Fans", FETCHED, '"1"')


def test_what_no_source_lists_any_more_is_found_no_more(library: Library, index: Index) -> None:
    builds = library.builds
    builds.begin("run-1", "/b")
    builds.plan("run-1", [(Listed(location="/b/pump.md", heading="book"), "task-1")])
    gone = index.forget_unlisted()
    assert set(gone) == {page_name("/b/valve.md"), page_name("/b/ops.md")}
    assert found(index, "valve") == ["/b/pump.md"]
    assert index.forget_unlisted() == ()
    assert builds.counts("run-1") == Counts(planned=1, done=0, failed=0, phase="fetch")


def test_a_text_of_more_different_words_than_postgresql_takes_is_kept_all_the_same(
    index: Index,
) -> None:
    body = " ".join(f"{number:x}" for number in range(0x100000, 0x100000 + 150_000))
    index.put(replace(document("/b/long.txt", "Long", body), words=150_000))
    assert found(index, "100007") == ["/b/long.txt"]


def test_no_words_whatever_make_the_search_fail(index: Index) -> None:
    @examples(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.text(max_size=60) | st.text(alphabet="ab\"'*:()&|!<->\\^~-+ ANDORNEAR", max_size=40))
    def search(words: str) -> None:
        if words_of(words):
            index.search(words)

    search()
