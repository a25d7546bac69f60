"""A reason reaches the audit as it was written: phones may bend what is typed, and nobody rewrites a sentence."""

import pytest

from knowledge_base_agent.operations.stated import read_reason
from knowledge_base_agent.phone_text import open_quote, words_of
from knowledge_base_agent.understand import understand


def reason(text: str) -> str:
    return understand(text).stated.why


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        (
            '--reason "it\u2019s full \u2014 see \u201cqueue 3\u201d"',
            "it\u2019s full \u2014 see \u201cqueue 3\u201d",
        ),
        ("\u2014reason \u201cit\u2019s full \u2013 twice\u201d", "it\u2019s full \u2013 twice"),
        ("--reason=\u2018don\u2019t wait\u2019", "don\u2019t wait"),
        ("\u2013reason=deploy\u201442", "deploy\u201442"),
        ('--reason "a &lt; b &amp; c, see <https://x.org/1|1>"', "a < b & c, see https://x.org/1"),
        ('--reason "he said \\"stop\\""', 'he said "stop"'),
        ("--break\u2011glass \u201cnobody answers \u2026\u201d", "nobody answers \u2026"),
    ],
)
def test_a_reason_is_kept_as_it_was_written_but_for_its_enclosing_quotes(
    typed: str, kept: str
) -> None:
    for line in (
        f"purge {typed}",
        f"purge {typed} --queue agent",
        f"/kb purge --queue agent {typed}",
    ):
        assert reason(line) == kept


def test_the_words_around_a_reason_are_straightened_as_ever() -> None:
    understood = understand(
        "purge \u2014queue \u201cagent\u201d \u2014reason \u201cit\u2019s full\u201d \u2014no-undo"
    )
    assert understood.stated.reason == "it\u2019s full"
    assert understood.arguments.queue == "agent"  # type: ignore[attr-defined]
    assert understood.arguments.no_undo is True  # type: ignore[attr-defined]


def test_what_was_understood_is_understood_again_as_the_same() -> None:
    """A button carries the words, and so does the audit."""
    for why in (
        "it\u2019s \u2014 full",
        "don't",
        'he said "stop"',
        "a  b",
        "\u201cquoted\u201d word",
    ):
        first = understand(
            f"purge --reason '{why}'" if "'" not in why else f'purge --reason "{why}"'
        )
        again = understand(first.words)
        assert again.stated == first.stated
        assert again.words == first.words


def test_a_flag_that_only_looks_like_a_reason_inside_quotes_is_none() -> None:
    assert words_of('find --argument "a --reason b"') == ["find", "--argument", "a --reason b"]


def test_an_apostrophe_in_a_reason_is_no_open_quote() -> None:
    assert open_quote("purge --reason \u201cit\u2019s full\u201d") == ""
    assert open_quote("purge --reason don't") != ""


def test_quotes_around_a_part_of_a_reason_stay() -> None:
    assert read_reason('"stop" and "go"') == '"stop" and "go"'
    assert read_reason('said "stop"') == 'said "stop"'
    assert read_reason("'why'") == "why"
    for nothing in ("''", '""', "  ", "\u200b"):
        with pytest.raises(ValueError, match="some words"):
            read_reason(nothing)
