"""A value that is itself the name of a secret uncovers no other value, whatever the mapping is written as."""

import json
from collections.abc import Callable, Iterator

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from knowledge_base_agent.redaction import hide_also, plain, redact


@pytest.fixture(autouse=True)
def nothing_of_our_own() -> Iterator[None]:
    """What other tests' settings hide is out of the way here."""
    hide_also()
    yield
    hide_also()


WORDS = (
    "password", "reset_password", "token", "refresh_token", "client_secret", "API_KEY", "pwd", "auth", "cookie",
    "authorization", "token:", "kind", "grant_type", "bob", "my password", "", " ",
)  # fmt: skip
SECRET_KEYS = (
    "password", "new_password", "token", "client_secret", "API_KEY", "pwd", "cookie", "authorization",
)  # fmt: skip
PLANTED = st.tuples(
    st.sampled_from(SECRET_KEYS), st.from_regex(r"PL4NT3D[a-z0-9]{6,9}", fullmatch=True)
)
WORD = st.sampled_from(WORDS)
TRAP = st.tuples(WORD, WORD | st.lists(WORD, max_size=3))
MAPPINGS = st.recursive(
    st.lists(st.tuples(TRAP, PLANTED), min_size=1, max_size=3).map(lambda pairs: dict(sum(pairs, ()))),
    lambda inner: st.lists(TRAP | PLANTED | st.tuples(WORD, inner), min_size=1, max_size=4).map(dict),
    max_leaves=4,
)  # fmt: skip


def as_call(mapping: dict[str, object]) -> str:
    return f"call({', '.join(f'{name}={value!r}' for name, value in mapping.items() if name.isidentifier())})"


FORMS: list[Callable[[dict[str, object]], str]] = [
    repr,
    json.dumps,
    lambda mapping: json.dumps(mapping, indent=2),
    lambda mapping: json.dumps({"kind": "token", "body": json.dumps(mapping), "password": "x"}),
    lambda mapping: json.dumps([json.dumps({"auth": "password", "in": json.dumps(mapping)})]),
    lambda mapping: repr(json.dumps(mapping)),
    lambda mapping: repr(list(mapping.items())),
    as_call,
]


@given(st.sampled_from(FORMS), MAPPINGS)
def test_a_value_that_is_a_secrets_name_uncovers_no_other_value(
    form: Callable[[dict[str, object]], str], mapping: dict[str, object]
) -> None:
    text = form(mapping)
    assume("PL4NT3D" in text)
    assert "PL4NT3D" not in redact(text)
    assert "PL4NT3D" not in plain(text, 10_000)
