"""The files that people browse."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from knowledge_base_agent.agent.fetching import Validators, fetch
from knowledge_base_agent.agent.pages import page_name, page_text, write_file
from knowledge_base_agent.agent.readme import Entry, Missing, Shelf, render
from knowledge_base_agent.agent.unreadable import Unreadable
from tests.agent.test_index import document


def test_a_file_is_written_whole_and_only_when_it_would_differ(tmp_path: Path) -> None:
    path = tmp_path / "new" / "page.md"
    assert write_file(path, "one")
    written = path.stat().st_mtime_ns
    assert not write_file(path, "one")
    assert path.stat().st_mtime_ns == written
    assert write_file(path, "two")
    assert [entry.name for entry in path.parent.iterdir()] == ["page.md"]
    assert path.read_text() == "two"


@given(st.text(min_size=1, max_size=80))
def test_whatever_a_document_is_called_its_page_is_a_plain_name_in_the_folder(name: str) -> None:
    page = page_name(f"/b/{name}")
    assert page == page_name(f"/b/{name}")
    assert set(page.removeprefix("documents/")) <= set("abcdefghijklmnopqrstuvwxyz0123456789-.")
    assert len(page) < 100


def test_the_same_name_in_two_folders_has_two_pages() -> None:
    assert page_name("/a/README.md") != page_name("/b/README.md")
    assert page_name("/a/Über uns.md").startswith("documents/uber-uns-")
    assert page_name("https://example.org").startswith("documents/example-")


def test_a_page_says_where_it_comes_from_without_the_password_of_the_address() -> None:
    of = document("https://me:s3cret@example.org/a", 'A "title": with signs', "text")
    text = page_text(of, "text")
    assert text.startswith('---\ntitle: "A \\"title\\": with signs"\nsource: "https://me:')
    assert "s3cret" not in text
    assert 'fetched_at: "2026-03-01T12:00:00+00:00"' in text
    assert text.endswith("---\n\ntext\n")


def shelf() -> Shelf:
    return Shelf(
        entries=[
            Entry(heading="book", title="Valves", page="documents/v-1.md", words=1200),
            Entry(
                heading="book", title="A [x](javascript:y) <b>", page="documents/a-2.md", words=1
            ),
        ],
        failed=[
            Missing(heading="book", location="/b/c.pdf", error="PdfReadError: no", earlier=True)
        ],
        awaited=[Missing(heading="x.org", location="https://x.org/d")],
    )


def test_the_readme_lists_what_there_is_what_failed_and_why_and_what_is_awaited() -> None:
    text = render(shelf())
    assert "2 documents, 1,201 words." in text
    assert "## book (2)" in text
    assert "- [Valves](documents/v-1.md) — 1,200 words" in text
    assert (
        "## Could not be read (1)\n\n- book/c.pdf: PdfReadError: no (an earlier version is kept)"
        in text
    )
    assert "## Still to come (1)\n\n- https://x.org/d" in text


def test_a_title_from_outside_never_becomes_a_link_or_markup_in_the_readme() -> None:
    html = MarkdownIt("commonmark").render(render(shelf()))
    assert "javascript" not in "".join(part.partition(">")[0] for part in html.split("<"))
    assert "<b>" not in html


def test_the_readme_is_the_same_in_whatever_order_the_documents_came() -> None:
    given_so = shelf()
    turned = Shelf(entries=given_so.entries[::-1], failed=given_so.failed, awaited=given_so.awaited)
    assert render(turned) == render(given_so)


def test_a_file_that_is_far_too_large_is_refused_and_one_that_vanished_says_so(
    tmp_path: Path,
) -> None:
    large = tmp_path / "large.txt"
    with large.open("wb") as file:
        file.truncate(20_000_001)
    with pytest.raises(Unreadable, match="larger than 20 MB"):
        fetch(str(large), Validators(), within=None)
    with pytest.raises(Unreadable, match="No such file"):
        fetch(str(tmp_path / "gone.md"), Validators(), within=None)
