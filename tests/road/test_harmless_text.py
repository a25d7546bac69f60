"""A text in which nothing can be hidden is known quickly, and that never lets through what the patterns would find."""

import re
import sys
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge_base_agent.redaction import (
    HIDDEN,
    Raw,
    harmless,
    hide_also,
    plain,
    redact,
    searched,
)
from knowledge_base_agent.secret_shapes import named_by

PIECES = (
    "password", "Pass", "pa\u017f\u017fword", "to\u212aen",
    "ap\u0131key", "ap\u0130key", "\u00b7", "\u2026", "api_key", "AUTH", "x-amz-signature", "dsn", "iban",
    "=", ":", "'", '"', "--", "-", "://", "@", "?", "&", "sig=", "code=", ", ", " ", "\\", "a", "hooks.slack.com/",
    "xoxb-", "xapp-", "ghp_", "glpat-", "npm_", "pypi-", "AKIA", "AIza", "ya29.", "SG.", "eyJ", "sk-", "pk_",
    "-----BEGIN ", "PRIVATE KEY-----", "abcdefgh", "ABCDEFGH12345678", "x" * 20, ".",
    HIDDEN, "KD-123456", "0123456789abcdef",
    "\n",
)  # fmt: skip
TEXTS = st.one_of(
    st.lists(st.sampled_from(PIECES), max_size=12).map("".join),
    st.lists(st.sampled_from(PIECES) | st.text(max_size=6), max_size=12).map("".join),
    st.text(max_size=200),
)
TOKENS = (
    "xoxb-abcdefgh", "xapp-abcdefgh", "hooks.slack.com/x", "ghp_" + "a" * 20, "github_pat_" + "a" * 20,
    "glpat-" + "a" * 20, "npm_" + "a" * 30, "pypi-" + "a" * 30, "AKIA" + "A" * 16, "ASIA" + "A" * 16, "sk-" + "a" * 20,
    "AIza" + "a" * 30, "ya29." + "a" * 20, "SG." + "a" * 16 + "." + "a" * 16, "eyJaaaaaaaa.aaaaaaaa.aaaa",
    "-----BEGIN PRIVATE KEY-----",
)  # fmt: skip
"""One of each shape, as short as can be."""


@pytest.fixture(autouse=True)
def nothing_of_our_own() -> Iterator[None]:
    """What other tests' settings hide is out of the way here, and what is set here goes again."""
    hide_also()
    yield
    hide_also()


@given(TEXTS)
def test_what_the_patterns_would_hide_is_never_taken_for_harmless(text: str) -> None:
    assert redact(text) == searched(text)


@given(TEXTS)
def test_nor_what_was_named_in_the_settings(text: str) -> None:
    hide_also(names=["iban", "\u017fum"], patterns=[r"KD-\d{6}"], values=["0123456789abcdef"])
    assert redact(text) == searched(text)


@pytest.mark.parametrize(
    "text",
    [
        "pa\u017f\u017fword=hunter2",
        "to\u212aen: hunter2",
        "ap\u0131key = hunter2",
        "AP\u0130KEY = hunter2",
        "amqp://bob:hunter2@host",
        "//hunter2hunter2hunter2hunter2:x://hunter2hunter2hunter2@h",
        "/x?sig=hunter2",
        "x&code=hunter2",
        "run --pass hunter2",
        "'pwd', 'hunter2'",
        "for KD-123456",
        "by 0123456789abcdef!",
    ],
)
def test_each_sign_of_a_secret_is_enough_by_itself(text: str) -> None:
    hide_also(patterns=[r"KD-\d{6}"], values=["0123456789abcdef"])
    assert HIDDEN in redact(text)
    assert redact(text) == searched(text)


def test_a_name_from_the_settings_is_enough_too() -> None:
    hide_also(names=["iban"])
    assert redact("IBAN=DE02") == f"IBAN={HIDDEN}"


@given(st.from_regex(named_by()))
def test_whatever_goes_before_a_value_to_be_hidden_is_looked_at_closely(text: str) -> None:
    assert not harmless(text)


@pytest.mark.parametrize("token", TOKENS)
def test_the_shortest_token_of_each_shape_is_hidden(token: str) -> None:
    assert HIDDEN in redact(token)
    assert searched(token[:-1]) == token[:-1] or not harmless(token[:-1])


@pytest.mark.parametrize(
    "text",
    [
        "shop.pay_12",
        "('https://shop.example/prices', 42)",
        "ValueError: no price",
        "0000000c-aaaa-bbbb-cccc-1234567890ab",
        "w12@host",
        "shop.pay \u00b7 0000000c-aaaa-bbbb-cccc-1234567890ab",
        "Bezahlung f\u00fcr M\u00fcller \u2026",
    ],
)
def test_what_tables_are_full_of_is_known_to_be_harmless(text: str) -> None:
    assert harmless(text)


def test_no_other_sign_stands_for_a_letter_of_a_name() -> None:
    letters = re.compile("[a-z]", re.IGNORECASE)
    for number in range(128, sys.maxunicode + 1):
        sign = chr(number)
        if letters.fullmatch(sign):
            assert not harmless(f"{sign} ")


def test_what_was_asked_for_as_it_is_does_not_stay_so_behind_our_back() -> None:
    assert type(redact(Raw("shop.pay"))) is str
    assert type(plain(Raw("shop.pay"))) is str


def test_no_invisible_sign_and_no_line_break_counts_as_printable() -> None:
    for number in range(sys.maxunicode + 1):
        sign = chr(number)
        if sign.isprintable() and sign != " ":
            assert plain(f"a{sign}b", 9) == f"a{sign}b"
    assert not re.search(r"\s", plain("a\u2028b\x85c\u00a0d", 9).replace(" ", ""))
