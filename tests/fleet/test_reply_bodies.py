"""A reply is read as kombu reads it, or left to kombu."""

import base64
import json
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kombu.serialization import loads

from knowledge_base_agent.fleet.reply_bodies import JSON, in_envelope, in_message

JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.just("__type__"), inner),
    max_leaves=12,
)
ODD_BODIES = [
    b"",
    b"{",
    b"[1, 2]",
    b'"text"',
    b'{"w": "\xff"}',
    b"[" * 100_000,
    b'{"w": ' + b"[" * 100_000,
    b'{"w": {"__type__": "datetime", "__value__": "2026-01-01T00:00:00"}}',
    b'{"w": {"__type__": "unheard of", "__value__": 1}}',
]


def enveloped(body: bytes, /, **odd: object) -> bytes:
    """Return a reply as kombu keeps it in a list; `odd` takes the place of what it has elsewhere."""
    envelope: dict[str, Any] = {
        "body": base64.b64encode(body).decode(),
        "content-encoding": "utf-8",
        "content-type": JSON,
        "headers": {"ticket": "t", "clock": 1},
        "properties": {"body_encoding": "base64", "delivery_tag": "one", "delivery_info": {}},
    }
    return json.dumps(envelope | odd).encode()


def message(body: bytes | str, /, **odd: object) -> Any:
    """Return a reply as amqp hands it over."""
    properties = {
        "content_type": JSON,
        "content_encoding": "utf-8",
        "application_headers": {"ticket": "t", "clock": 1},
    }
    return SimpleNamespace(body=body, properties=properties | odd)


@given(st.dictionaries(st.text(), JSON_VALUES))
def test_what_is_read_is_what_kombu_reads(said: dict[str, object]) -> None:
    body = json.dumps(said).encode()
    for found in (in_envelope(enveloped(body)), in_message(message(body))):
        if found is not None:
            assert found == ("t", loads(body, JSON, "utf-8", accept={JSON}))


def test_a_plain_reply_is_read_from_either_broker() -> None:
    body = json.dumps({"w@host": {"ok": "pöng", "big": 2**80}})
    found = ("t", {"w@host": {"ok": "pöng", "big": 2**80}})
    assert in_envelope(enveloped(body.encode())) == found
    assert in_message(message(body.encode())) == found
    assert in_message(message(body)) == found


@pytest.mark.parametrize("body", ODD_BODIES, ids=range(len(ODD_BODIES)))
def test_what_is_no_plain_reply_is_left_to_kombu(body: bytes) -> None:
    assert in_envelope(enveloped(body)) is None
    assert in_message(message(body)) is None


@pytest.mark.parametrize(
    "odd",
    [
        {"content-type": "application/x-python-serialize"},
        {"content-encoding": "binary"},
        {"headers": {"ticket": "t", "compression": "application/x-gzip"}},
        {"headers": {"ticket": 7}},
        {"properties": {}},
        {"body": "no base64: é"},
        {"body": None},
    ],
    ids=str,
)
def test_an_envelope_of_another_kind_is_left_to_kombu(odd: dict[str, object]) -> None:
    assert in_envelope(enveloped(b'{"w": 1}', **odd)) is None


@pytest.mark.parametrize(
    "odd",
    [
        {"content_type": "application/x-python-serialize"},
        {"content_encoding": "binary"},
        {"application_headers": {"ticket": "t", "compression": "application/x-gzip"}},
        {"application_headers": None, "content_type": None},
    ],
    ids=str,
)
def test_a_message_of_another_kind_is_left_to_kombu(odd: dict[str, object]) -> None:
    assert in_message(message(b'{"w": 1}', **odd)) is None


@pytest.mark.parametrize("raw", [b"", b"{", b"[]", b"null", b"\xff", b"[" * 100_000])
def test_what_is_no_envelope_at_all_is_left_to_kombu(raw: bytes) -> None:
    assert in_envelope(raw) is None
