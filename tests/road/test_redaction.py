"""Secrets from outside are hidden before anything is kept or shown."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge_base_agent.redaction import plain, redact, shorten

SECRET = "s3cr3t-V4lue"


@pytest.mark.parametrize(
    "text",
    [
        f"{{'password': '{SECRET}', 'x': 1}}",
        f'{{"api_key": "{SECRET}"}}',
        f"client_secret={SECRET} rest",
        f"Authorization: Bearer {SECRET}",
        f"redis://user:{SECRET}@host:6379/0",
        f"postgresql://kb:{SECRET}@db/kb failed",
        f"AUTH_TOKEN={SECRET},",
    ],
)
def test_a_named_or_embedded_secret_is_hidden(text: str) -> None:
    assert SECRET not in redact(text)


@pytest.mark.parametrize(
    "token",
    ["xoxb-123456789012-abcdef", "xapp-1-A0B1C2D3-456", "ghp_" + "a" * 36, "AKIA" + "A" * 16],
)
def test_tokens_of_known_shapes_are_hidden_wherever_they_stand(token: str) -> None:
    assert token not in redact(f"it said {token}!")


def test_text_without_secrets_stays_as_it_is() -> None:
    text = "run_agent(source='/docs', limit=3) at redis://127.0.0.1:6379/0"
    assert redact(text) == text


@given(st.text(max_size=400), st.integers(1, 200))
def test_a_plain_line_is_one_line_and_within_its_limit(text: str, limit: int) -> None:
    line = plain(text, limit)
    assert len(line) <= limit
    assert line.splitlines() in ([line], [])
    assert not set(line) & {"\u202e", "\u2066", "\x1b", "\x00"}


def test_a_shortened_text_says_that_it_is() -> None:
    assert shorten("abcdef", 4) == ("abc…", True)
    assert shorten("abc", 4) == ("abc", False)
