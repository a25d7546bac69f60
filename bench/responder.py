"""Simulated workers: each a subscription of its own to Celery's mailbox, all answering from one process.

`python -m bench.responder COUNT < SAMPLE`, with the environment of `tests.fleet.tiny_app`. The sample is a real
worker's reply, as JSON; every simulated worker gives the same one under a name of its own. SIGTERM ends them all.
"""

import base64
import json
import os
import sys
import uuid
from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Any

import redis

from bench.responding import responding
from tests.servers import RedisSpace


def responder(
    space: RedisSpace, count: int, sample: Mapping[str, Any]
) -> AbstractContextManager[None]:
    """Let so many simulated workers answer every question with this sample."""
    command = ["bench.responder", str(count)]
    return responding(command, sample, {"TINY_BROKER": space.broker_url})


def main(count: int) -> None:
    """Subscribe so many times, and answer what the first subscription hears for all of them."""
    sample = json.loads(sys.stdin.readline())
    client = redis.Redis.from_url(os.environ["TINY_BROKER"], max_connections=count + 2)
    database = client.connection_pool.connection_kwargs.get("db", 0)
    # Named as kombu names it: the mailbox's exchange in this database.
    mailbox = f"/{database}.celery.pidbox"
    heard: list[Any] = [client.pubsub(ignore_subscribe_messages=True) for _ in range(count)]  # type: ignore[no-untyped-call]
    for one in heard:
        one.subscribe(mailbox)
        one.get_message(timeout=5)
    bodies = [_encoded({f"s{number:03}@bench": sample}) for number in range(count)]
    sys.stdout.write("listening\n")
    sys.stdout.flush()
    for message in heard[0].listen():
        question = json.loads(base64.b64decode(json.loads(message["data"])["body"]))
        queue = f"{question['reply_to']['routing_key']}.reply.celery.pidbox"
        with client.pipeline(transaction=False) as pipeline:
            for body in bodies:
                pipeline.lpush(queue, _reply(body, question))
            pipeline.execute()
        for one in heard[1:]:
            one.get_message(timeout=0)  # so that no subscription's buffer fills


def _encoded(answer: Mapping[str, Any]) -> str:
    return base64.b64encode(json.dumps(answer).encode()).decode()


def _reply(body: str, question: Mapping[str, Any]) -> str:
    return json.dumps(
        {
            "body": body,
            "content-encoding": "utf-8",
            "content-type": "application/json",
            "headers": {"ticket": question["ticket"], "clock": 1},
            "properties": {
                "delivery_mode": 2,
                "delivery_info": dict(question["reply_to"]),
                "priority": 0,
                "body_encoding": "base64",
                "delivery_tag": str(uuid.uuid4()),
            },
        }
    )


if __name__ == "__main__":
    main(int(sys.argv[1]))
