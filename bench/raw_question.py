"""The floor of a question to workers: one PUBLISH, and as many BRPOPs as it had receivers. Nothing is decoded."""

import base64
import json
import uuid

import redis

_BINDINGS = "_kombu.binding.reply.celery.pidbox"


class RawQuestion:
    """One connection that broadcasts a command as Celery's mailbox does, and collects the raw replies."""

    def __init__(self, url: str, command: str) -> None:
        self._client = redis.Redis.from_url(url)
        self._database = self._client.connection_pool.connection_kwargs.get("db", 0)
        self._command = command
        self._key = str(uuid.uuid4())
        self._queue = f"{self._key}.reply.celery.pidbox"
        # What kombu writes when it binds the reply queue: exchange to queue, by routing key.
        self._binding = f"{self._key}\x06\x16\x06\x16{self._queue}"
        self._client.sadd(_BINDINGS, self._binding)

    def ask(self) -> int:
        """Ask once; return how many replied."""
        receivers = int(self._client.publish(f"/{self._database}.celery.pidbox", self._message()))
        for _ in range(receivers):
            if self._client.brpop([self._queue], timeout=5) is None:
                raise TimeoutError("a reply is missing")
        return receivers

    def _message(self) -> str:
        ticket = str(uuid.uuid4())
        body = question_to_all(self._command, ticket, self._key)
        return json.dumps(
            {
                "body": base64.b64encode(json.dumps(body).encode()).decode(),
                "content-encoding": "utf-8",
                "content-type": "application/json",
                "headers": {"clock": 1, "expires": 0},
                "properties": {
                    "correlation_id": ticket,
                    "delivery_mode": 2,
                    "delivery_info": {"exchange": "celery.pidbox", "routing_key": ""},
                    "priority": 0,
                    "body_encoding": "base64",
                    "delivery_tag": str(uuid.uuid4()),
                },
            }
        )

    def close(self) -> None:
        """Leave nothing behind."""
        self._client.delete(self._queue)
        self._client.srem(_BINDINGS, self._binding)
        self._client.close()


def question_to_all(command: str, ticket: str, reply_key: str) -> dict[str, object]:
    """Return what Celery's mailbox broadcasts: a command to every worker, whose replies go to this key."""
    return {
        "method": command,
        "arguments": {"arguments": False},
        "destination": None,
        "pattern": None,
        "matcher": None,
        "ticket": ticket,
        "reply_to": {"exchange": "reply.celery.pidbox", "routing_key": reply_key},
    }
