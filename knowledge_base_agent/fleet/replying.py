"""How a worker sends our own answers: in one step, where kombu asks the broker first and makes a client for each word.

A look goes to every worker at once, and on a host with many of them each tenth of a millisecond that one takes to
answer is waited for as often as there are workers. What is not exactly an answer of ours, in JSON, on a broker that is
known here, and whatever goes wrong, is left to kombu: it declares, looks up, connects anew and repeats.
"""

import binascii
import uuid
from dataclasses import dataclass
from typing import Any

import msgspec
from kombu import pidbox
from kombu.transport import pyamqp
from kombu.transport import redis as kombu_redis

from knowledge_base_agent.fleet.away import DRIVER_ERRORS

_KIND, _ENCODING = "application/json", "utf-8"
_UNWRITABLE = (TypeError, ValueError, OverflowError, RecursionError)
"""What msgspec raises for what it can't write: kombu may know how."""
_TRANSIENT = 1
"""AMQP's number for a message that needs no disk: kombu's for replies."""
_TO_BOUND = """
if redis.call('SISMEMBER', KEYS[1], ARGV[1]) == 0 then return 0 end
redis.call('LPUSH', KEYS[2], ARGV[2])
return 1
"""
"""Puts a reply into a list whose address is bound: what nobody waits for any more would stay there for ever."""


class Told(dict[str, Any]):
    """An answer of ours: text, numbers, lists and the like, and nothing that JSON has no word for."""


@dataclass(frozen=True, kw_only=True)
class _Reply:
    body: bytes
    headers: dict[str, Any]
    exchange: str
    routing_key: str


class AnsweringNode(pidbox.Node):  # type: ignore[misc, unused-ignore]
    """Kombu's end of a worker's mailbox; a mailbox makes these where its `node_cls` says so."""

    mailbox: Any
    _declared: Any = None
    """The AMQP channel on which kombu has sent an answer of ours, and so declared where it goes."""

    def reply(self, data: Any, exchange: Any, routing_key: str, ticket: Any, **more: Any) -> None:
        """Send a reply to whoever asked."""
        if isinstance(data.get(self.hostname), Told) and self.mailbox.serializer == "json":
            try:
                body = msgspec.json.encode(data)
            except _UNWRITABLE:
                pass
            else:
                headers = {"ticket": ticket, "clock": self.mailbox.clock.forward()}
                if self._sent(
                    _Reply(body=body, headers=headers, exchange=exchange, routing_key=routing_key)
                ):
                    return
        super().reply(data, exchange, routing_key, ticket, **more)

    def _sent(self, reply: _Reply) -> bool:
        with self.mailbox.producer_or_acquire(channel=self.channel) as producer:
            channel = producer.channel
            try:
                if isinstance(channel, kombu_redis.Channel):
                    return _into_list(channel, reply)
                if isinstance(channel, pyamqp.Channel) and self._known_there(channel, reply):
                    _publish(channel, reply)
                    return True
            except DRIVER_ERRORS:
                pass  # kombu meets the same, and knows what to do
        return False

    def _known_there(self, channel: Any, reply: _Reply) -> bool:
        """Tell whether kombu has declared on this channel what the reply goes to; if not, it will by the next time."""
        if self._declared is channel and reply.exchange == self.mailbox.reply_exchange.name:
            return True
        self._declared = channel
        return False


def _into_list(channel: Any, reply: _Reply) -> bool:
    """Put a reply into the list of whoever asked, if that is bound by the name that every mailbox gives it."""
    exchange, key, prefix = reply.exchange, reply.routing_key, channel.global_keyprefix
    queue = f"{key}.{exchange}"
    envelope = {
        "body": binascii.b2a_base64(reply.body, newline=False).decode(),
        "content-encoding": _ENCODING,
        "content-type": _KIND,
        "headers": reply.headers,
        "properties": {
            "delivery_mode": _TRANSIENT,
            "delivery_info": {"exchange": exchange, "routing_key": key},
            "priority": 0,
            "body_encoding": "base64",
            "delivery_tag": str(uuid.uuid4()),
        },
    }
    keys = (f"{prefix}{channel.keyprefix_queue % exchange}", f"{prefix}{queue}")
    address = channel.sep.join((key, "", queue))
    connection = channel.pool.get_connection()
    try:
        connection.send_command("EVAL", _TO_BOUND, 2, *keys, address, msgspec.json.encode(envelope))
        return bool(connection.read_response() == 1)
    finally:
        channel.pool.release(connection)


def _publish(channel: Any, reply: _Reply) -> None:
    message = channel.prepare_message(
        reply.body,
        priority=0,
        content_type=_KIND,
        content_encoding=_ENCODING,
        headers=reply.headers,
        properties={"delivery_mode": _TRANSIENT},
    )
    channel.basic_publish(message, exchange=reply.exchange, routing_key=reply.routing_key)
