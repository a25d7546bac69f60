"""What a worker replied, out of a raw message: JSON as data, quickly; all else as kombu reads it, and never pickle.

A crowd of workers is asked many times an hour, and kombu takes longer to unpack a reply than the broker to bring it.
What is not exactly what kombu itself sends for JSON is left to kombu, so that nothing is read in another way than
there.
"""

import binascii
from collections.abc import Mapping
from typing import Any

import msgspec

JSON = "application/json"
_ENCODINGS = (None, "utf-8")
_OF_A_TYPE = b'"__type__"'
"""Under this key kombu's JSON carries what JSON has no word for (a time, an id, bytes)."""
_UNREADABLE = (msgspec.DecodeError, ValueError, RecursionError)
"""The last for what is nested a thousand deep."""


class _Headers(msgspec.Struct):
    ticket: str | None = None
    compression: str | None = None


class _Properties(msgspec.Struct):
    body_encoding: str | None = None


class _Envelope(msgspec.Struct, rename="kebab"):
    body: str
    content_type: str
    content_encoding: str | None = None
    headers: _Headers = msgspec.field(default_factory=_Headers)
    properties: _Properties = msgspec.field(default_factory=_Properties)


_ENVELOPE = msgspec.json.Decoder(_Envelope)
_BODY = msgspec.json.Decoder(dict[str, Any])


def in_envelope(raw: bytes) -> tuple[str | None, dict[str, Any]] | None:
    """Read a reply as kombu keeps it in a Redis list: the ticket of its question, and what was said, by worker.

    None for what only kombu may read.
    """
    try:
        envelope = _ENVELOPE.decode(raw)
        headers = envelope.headers
        if headers.compression is not None or envelope.properties.body_encoding != "base64":
            return None
        said = _said(
            envelope.content_type,
            envelope.content_encoding,
            binascii.a2b_base64(envelope.body),
        )
    except _UNREADABLE:
        return None
    return None if said is None else (headers.ticket, said)


def in_message(message: Any) -> tuple[str | None, dict[str, Any]] | None:
    """Read a reply as amqp hands it over, in the same way."""
    properties: Mapping[str, Any] = message.properties
    headers: Mapping[str, Any] = properties.get("application_headers") or {}
    if headers.get("compression") is not None:
        return None
    body = message.body
    try:
        said = _said(
            properties.get("content_type"),
            properties.get("content_encoding"),
            # amqp has decoded it where it could.
            body.encode() if isinstance(body, str) else bytes(body),
        )
    except _UNREADABLE:
        return None
    return None if said is None else (headers.get("ticket"), said)


def _said(kind: object, encoding: object, body: bytes) -> dict[str, Any] | None:
    if kind != JSON or encoding not in _ENCODINGS or _OF_A_TYPE in body:
        return None
    return _BODY.decode(body)
