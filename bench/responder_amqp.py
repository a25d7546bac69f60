"""Simulated workers on RabbitMQ: a mailbox each, all answering from one process and over one connection.

`python -m bench.responder_amqp URL COUNT < SAMPLE`: as `bench.responder` does on Redis. SIGTERM ends them all.
"""

import json
import sys
from collections import deque
from collections.abc import Mapping
from contextlib import AbstractContextManager
from functools import partial
from typing import Any

from kombu import Connection

from bench.responding import responding
from knowledge_base_agent.fleet.worker_words import register_of


def amqp_responder(url: str, count: int, sample: Mapping[str, Any]) -> AbstractContextManager[None]:
    """Let so many simulated workers answer every question with this sample."""
    return responding(["bench.responder_amqp", url, str(count)], sample, {})


def main(url: str, count: int) -> None:
    """Bind so many mailboxes, and answer what each of them hears."""
    sample = json.loads(sys.stdin.readline())
    heard: deque[tuple[str, Any]] = deque()
    with Connection(url) as connection:
        channel: Any = connection.channel()
        for number in range(count):
            name = f"s{number:03}@bench"
            queue = f"{name}.celery.pidbox"
            channel.queue_declare(queue, exclusive=True, auto_delete=True)
            channel.queue_bind(queue, "celery.pidbox")
            answer = json.dumps({name: sample})
            # Answered below: publishing takes in what comes meanwhile, so from here it would call itself.
            hear = partial(_note, heard, answer)
            channel.basic_consume(queue, no_ack=True, callback=hear)
            # There since the worker that gave the sample, which was counted too.
            channel.basic_consume(register_of("celery"), no_ack=True, callback=lambda _: None)
        sys.stdout.write("listening\n")
        sys.stdout.flush()
        while True:
            connection.drain_events()
            while heard:
                _reply(channel, *heard.popleft())


def _note(heard: deque[tuple[str, Any]], answer: str, question: Any) -> None:
    heard.append((answer, question))


def _reply(channel: Any, answer: str, question: Any) -> None:
    asked = json.loads(question.body)
    message = channel.prepare_message(
        answer,
        content_type="application/json",
        content_encoding="utf-8",
        headers={"ticket": asked["ticket"], "clock": 1},
    )
    to = asked["reply_to"]
    channel.basic_publish(message, exchange=to["exchange"], routing_key=to["routing_key"])


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
