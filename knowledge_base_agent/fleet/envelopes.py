"""Task messages read from the outside: headers as JSON data. Nothing is ever unpickled.

Bodies are left alone, but for one question (`chord_of`): which task a chord's member keeps waiting.
"""

import base64
import binascii
from collections.abc import Iterable
from datetime import datetime
from typing import Any

import msgspec
from msgspec import Struct

from knowledge_base_agent.fleet.reading import moment, wall_time

ENVELOPE_LIMIT = 64 * 1024
"""Bytes of one message that are looked at."""
_UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""The last for what is nested a thousand deep: one such message must not hide the others."""
_AFTER_BODY = b', "content-encoding": '


class _Headers(msgspec.Struct):
    """The headers of Celery's message protocol 2 that matter here."""

    id: str | None = None
    task: str | None = None
    eta: str | None = None
    expires: str | None = None
    retries: int | None = None
    group: str | None = None
    root_id: str | None = None
    parent_id: str | None = None
    kb_published: float | None = None  # message_headers.PUBLISHED


class _Named(msgspec.Struct, gc=False):
    task: str | None = None


class _NamedMessage(msgspec.Struct, gc=False):
    headers: _Named = msgspec.field(default_factory=_Named)


class _Properties(msgspec.Struct):
    priority: int | None = None
    timestamp: float | None = None


class _Message(msgspec.Struct):
    headers: _Headers = msgspec.field(default_factory=_Headers)
    properties: _Properties = msgspec.field(default_factory=_Properties)


class _Waiting(msgspec.Struct):
    task: str | None = None


class _Embedded(msgspec.Struct):
    chord: _Waiting | None = None


class _Whole(msgspec.Struct, rename="kebab"):
    body: str = ""
    content_type: str = ""


_WHOLE = msgspec.json.Decoder(_Whole)
_BODY = msgspec.json.Decoder(tuple[Any, Any, _Embedded])
_DECODER = msgspec.json.Decoder(_Message)
_NAMES = msgspec.json.Decoder(_NamedMessage)
_UNACKED = msgspec.json.Decoder(tuple[_Message, str, str])


class Envelope(Struct, frozen=True, kw_only=True):
    """What the outside of a waiting message tells. None where it does not say."""

    id: str
    name: str | None
    published_at: datetime | None
    """UTC; only a tracked app or RabbitMQ's own timestamp tells it."""
    eta: datetime | None
    expires: datetime | None
    priority: int | None
    retries: int | None
    group: str | None
    root: str | None
    parent: str | None


def read_envelope(raw: bytes) -> Envelope | None:
    """Read a message as kombu keeps it in a Redis list. None if it is no task's message, or not JSON outside."""
    try:
        return _envelope(_DECODER.decode(_without_body(raw, b"{")))
    except _UNREADABLE:
        return None


def task_names(messages: Iterable[bytes], unnamed: str) -> list[str]:
    """Return the tasks that messages in a Redis list are of, and read nothing else: `unnamed` where one says none."""
    names: list[str] = []
    named, decode = names.append, _NAMES.decode
    for raw in messages:
        # A call for each would take a fifth of the time that a million of them take.
        readable = raw if len(raw) <= ENVELOPE_LIMIT else _without_body(raw, b"{")
        try:
            named(decode(readable).headers.task or unnamed)
        except _UNREADABLE:
            named(unnamed)
    return names


def read_unacked(raw: bytes) -> tuple[Envelope, str, str] | None:
    """Read a value of the `unacked` hash: the envelope, its exchange and its routing key."""
    try:
        message, exchange, routing_key = _UNACKED.decode(_without_body(raw, b"[{"))
    except _UNREADABLE:
        return None
    envelope = _envelope(message)
    return (envelope, exchange, routing_key) if envelope else None


def chord_of(raw: bytes) -> str | None:
    """Return the name of the task that waits for this one and its group, where that is a chord; None if unknown.

    Reads a JSON body as data, up to 64 kB.
    """
    if len(raw) > ENVELOPE_LIMIT:
        return None
    try:
        whole = _WHOLE.decode(raw)
        if whole.content_type != "application/json":
            return None
        _, _, embedded = _BODY.decode(base64.b64decode(whole.body))
    except (msgspec.DecodeError, UnicodeDecodeError, binascii.Error):
        return None
    return embedded.chord.task if embedded.chord else None


def _without_body(raw: bytes, opening: bytes) -> bytes:
    """Cut a long message down to what comes after its body; kombu writes the body first.

    The mark can't be part of a JSON string, where its quotes would be escaped.
    """
    if len(raw) <= ENVELOPE_LIMIT:
        return raw
    tail = raw[-ENVELOPE_LIMIT:]
    start = tail.find(_AFTER_BODY)
    return opening + tail[start + 2 :] if start >= 0 else b""


def _envelope(message: _Message) -> Envelope | None:
    headers, properties = message.headers, message.properties
    if not headers.id:
        return None
    stamp = headers.kb_published or properties.timestamp
    return Envelope(
        id=headers.id,
        name=headers.task,
        published_at=wall_time(stamp),
        eta=moment(headers.eta),
        expires=moment(headers.expires),
        priority=properties.priority,
        retries=headers.retries,
        group=headers.group,
        root=headers.root_id,
        parent=headers.parent_id,
    )
