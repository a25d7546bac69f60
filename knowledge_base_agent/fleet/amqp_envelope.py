"""A message on its way through a queue where it is put aside: what would act there is folded into a header of its own.

A message's own time to live would run out, `CC` would send copies to other queues, and RabbitMQ refuses a `user_id`
that is not the publisher's. They come back with it, but for `CC` and `user_id`, which a republished message can't have.
"""

from typing import Any, Final

from amqp import Message

_OURS: Final = "kb-undo"
"""The header under which everything else is folded while a message is aside."""
_NEVER: Final = ("CC", "BCC")
_PERSISTENT: Final = 2


def folded(message: Any, chunk: int) -> Message:
    """Return the message as it is put aside with the chunk of this number: safe on disk, and without an end."""
    properties = dict(message.properties)
    kept = {
        name: properties.pop(name)
        for name in ("application_headers", "expiration", "delivery_mode")
        if name in properties
    }
    properties.pop("user_id", None)
    headers = {_OURS: {"chunk": chunk, "kept": kept}}
    return Message(
        _body(message), application_headers=headers, delivery_mode=_PERSISTENT, **properties
    )


def chunk_of(message: Any) -> int:
    """Return the number of the chunk that a message was put aside with."""
    return int(message.properties["application_headers"][_OURS]["chunk"])


def unfolded(message: Any) -> Message:
    """Return the message as it was."""
    properties = dict(message.properties)
    kept = dict(properties.pop("application_headers")[_OURS]["kept"])
    properties.pop("delivery_mode", None)
    headers = kept.pop("application_headers", None)
    if headers is not None:
        kept["application_headers"] = {
            name: value for name, value in headers.items() if name not in _NEVER
        }
    return Message(_body(message), **properties, **kept)


def _body(message: Any) -> bytes:
    """Return the body; the driver gives an empty one as text, and would say so when it sends that."""
    return message.body or b""
