"""What is sent to Slack is JSON that says the same as the standard library's, whatever the text is."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.slack_client import as_json
from knowledge_base_agent.report import Size

TEXTS = st.text(alphabet=st.characters(), max_size=40)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | TEXTS,
    lambda inner: st.lists(inner) | st.tuples(inner) | st.dictionaries(TEXTS, inner),
)


@given(VALUES)
def test_json_for_slack_says_what_it_was_given(value: object) -> None:
    assert json.loads(as_json(value)) == json.loads(json.dumps(value))


def test_half_of_a_pair_of_utf_16_is_sent_as_an_escape() -> None:
    assert as_json(["\ud83d"]) == '["\\ud83d"]'


def test_a_size_is_sent_as_its_bytes_and_a_text_of_our_own_as_text() -> None:
    class Word(str):
        """A text that knows more than a text."""

        __slots__ = ()

    assert as_json({"value": Size(1_500), "word": Word("é")}) == '{"value":1500,"word":"é"}'


def test_what_json_can_not_say_is_refused() -> None:
    with pytest.raises(TypeError, match="object"):
        as_json([object()])
