"""From bytes to title, text and Markdown."""

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from pypdf.errors import PdfReadError

from knowledge_base_agent.agent.fetching import kind_of
from knowledge_base_agent.agent.parsing import as_markdown, parse
from knowledge_base_agent.agent.unreadable import NotAnswering, Unreadable
from tests.agent.material import BROKEN_PDF, html_of, pdf_of


def test_markdown_gives_its_first_heading_and_its_text_without_signs() -> None:
    source = "---\ntitle: x\n---\nIntro\n\n## The *valve*\n\n- [turn](http://x.y) it\n\n```\ncode_here\n```\n"
    parsed = parse("markdown", source.encode())
    assert parsed.title == "The valve"
    assert parsed.text == "Intro\nThe valve\nturn it\ncode_here"
    assert parsed.words == 6
    assert parsed.markdown.startswith("Intro\n\n## The *valve*")


def test_html_gives_its_article_and_leaves_the_menu_out() -> None:
    page = html_of("Pumps", *["The pump on the second floor needs oil every spring."] * 8)
    parsed = parse("html", page.encode())
    assert parsed.title == "Pumps"
    assert "second floor" in parsed.text
    assert "Everything else" not in parsed.text
    assert parsed.markdown.startswith("# Pumps")


def test_html_with_next_to_nothing_in_it_still_gives_that() -> None:
    assert "Hi there" in parse("html", b"<html><body><b>Hi there</b></body></html>").text


def test_a_text_in_an_old_encoding_is_read_right() -> None:
    text = "Größe und Gewicht: überprüfen Sie die Schläuche täglich.\n" * 3
    assert parse("text", text.encode("latin-1")).text == text.strip()


def test_a_pdf_gives_its_text_page_by_page() -> None:
    parsed = parse("pdf", pdf_of("The boiler manual"))
    assert parsed.title == parsed.text == "The boiler manual"
    assert parsed.markdown == "## Page 1\n\nThe boiler manual"


def test_a_broken_pdf_raises_the_reader_s_own_error() -> None:
    with pytest.raises(PdfReadError):
        parse("pdf", BROKEN_PDF)


@pytest.mark.parametrize("kind", ["text", "html", "markdown"])
def test_a_document_without_text_says_so(kind: str) -> None:
    with pytest.raises(Unreadable):
        parse(kind, b"  \n \x00")


@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Zl", "Zp"]), max_size=80))
def test_plain_text_as_markdown_shows_the_same_and_never_becomes_markup(text: str) -> None:
    tokens = MarkdownIt("commonmark").parse(as_markdown(text.strip()))
    assert {token.type for token in tokens} <= {"paragraph_open", "inline", "paragraph_close"}
    shown = [child for token in tokens for child in token.children or []]
    assert {child.type for child in shown} <= {"text", "softbreak", "text_special"}
    assert "".join(child.content for child in shown) == text.strip()


@given(st.binary(max_size=200))
def test_no_bytes_at_all_make_text_with_characters_a_database_refuses(data: bytes) -> None:
    try:
        parsed = parse("text", data)
    except Unreadable:
        return
    assert "\x00" not in parsed.text
    parsed.text.encode("utf-8")


@pytest.mark.parametrize(
    ("content_type", "url", "opening", "kind"),
    [
        ("text/html; charset=utf-8", "https://x.y/a.pdf", b"", "html"),
        ("text/plain", "https://x.y/README.md", b"# A", "markdown"),
        ("text/plain", "https://x.y/a", b"<html>", "text"),
        ("application/octet-stream", "https://x.y/a", b"%PDF-1.4", "pdf"),
        ("", "https://x.y/", b"\n<!DOCTYPE html>", "html"),
    ],
)
def test_a_site_s_word_on_what_it_sends_comes_first_then_the_name_then_the_bytes(
    content_type: str, url: str, opening: bytes, kind: str
) -> None:
    assert kind_of(content_type, url, opening) == kind


def test_an_image_from_a_site_is_refused_by_its_name() -> None:
    with pytest.raises(Unreadable, match="image/png"):
        kind_of("image/png", "https://x.y/a.md", b"")


def test_an_error_keeps_its_words_on_the_way_out_of_a_worker_s_child_process() -> None:
    error = pickle.loads(pickle.dumps(NotAnswering("It is down.", "Wait.")))
    assert (str(error), error.what, error.cure) == ("It is down. Wait.", "It is down.", "Wait.")
