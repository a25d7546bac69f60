"""What phones and Slack do to text is undone before anything is understood."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge_base_agent.phone_text import split, straighten


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("stuck —longer‑than 10s", "stuck --longer-than 10s"),
        ("stuck –longer–than 10s", "stuck --longer-than 10s"),
        ("clear ——older-than 12", "clear --older-than 12"),
        ("logs abc —n 50", "logs abc -n 50"),
        ("search\u00a0“two words”", 'search "two words"'),
        ("search ‘two words’", "search 'two words'"),
        ("find error &lt;b&gt; &amp; more", "find error <b> & more"),
        ("run <https://example.org/a|example.org/a>", "run https://example.org/a"),
        ("run <https:/<https://a.example|x>.b|x>", "run https:/https://a.example.b"),
        ("  stuck \u200b\n", "stuck"),
        ("find error\ud83d", "find error"),
        ("find error &l\u200bt;b&gt;", "find error <b>"),
        ("run <ht\u200btps://example.org/a|x>", "run https://example.org/a"),
        ("find error &amp;lt;", "find error &lt;"),
    ],
)
def test_what_was_typed_on_a_phone_reads_as_it_was_meant(typed: str, meant: str) -> None:
    assert straighten(typed) == meant


@given(st.text(max_size=80))
def test_straightening_any_text_never_fails_and_leaves_plain_spaces(text: str) -> None:
    found = straighten(text)
    assert "—" not in found
    assert "\u00a0" not in found
    assert found == found.strip()


@given(st.lists(st.text(st.characters(categories=("L", "N")), min_size=1), max_size=6))
def test_plain_words_come_through_unchanged(words: list[str]) -> None:
    plain_words = [word for word in words if word.isascii()]
    assert split(straighten(" ".join(plain_words))) == plain_words


def test_a_quote_that_was_never_closed_loses_no_word() -> None:
    assert split('search "two words') == ["search", '"two', "words"]
