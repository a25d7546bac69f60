"""Which queues there are: from the settings, from the workers, and from the bindings that kombu keeps in Redis."""

import time
from collections.abc import Collection, Iterable
from enum import StrEnum
from typing import Any

from celery import Celery

from knowledge_base_agent.fleet.away import away_if_down
from knowledge_base_agent.fleet.broker import Broker, RedisBroker
from knowledge_base_agent.fleet.deadline import Deadline
from knowledge_base_agent.fleet.worker_words import REGISTER_PREFIX

ASIDE_QUEUES = "kb.undo."
"""How the queues begin that keep on RabbitMQ what can be had back."""
_SCAN_EVERY = 60.0
_CHUNK = 2000


class Origin(StrEnum):
    """Who told of a queue."""

    SETTINGS = "settings"
    WORKERS = "workers"
    BROKER = "broker"


def of_settings(app: Celery) -> frozenset[str]:
    """Return the queues that the app's settings name, the default one included."""
    return frozenset(str(name) for name in app.amqp.queues)


def is_tasks_queue(name: str) -> bool:
    """Tell queues of tasks from the mailboxes and event queues that Celery keeps beside them, and from our own.

    What a purge has put aside on RabbitMQ is in queues of ours, which no purge may empty.
    """
    beside = ("celeryev.", ASIDE_QUEUES, REGISTER_PREFIX)
    return bool(name) and not name.endswith(".pidbox") and not name.startswith(beside)


class Bindings:
    """The queues that are bound in Redis, looked for with SCAN at most once a minute; what was found stays known.

    One that somebody asks for by its name is looked for at once: it may be as new as the trouble it makes.
    """

    def __init__(self) -> None:
        self._routes: dict[tuple[str, str], str] = {}
        self._scanned = 0.0
        self.complete = False
        """Whether the last scan reached the end of the key space."""

    def read(
        self,
        broker: RedisBroker,
        deadline: Deadline,
        exchanges: Iterable[str],
        asked: Collection[str] = (),
    ) -> dict[tuple[str, str], str]:
        """Return the queue for each (exchange, routing key): known exchanges each time, others looked for rarely."""
        # Unless told otherwise, Celery binds a queue to an exchange of the same name.
        names = {*exchanges, *(exchange for exchange, _ in self._routes), *asked}
        scanned = time.monotonic() - self._scanned > _SCAN_EVERY or not self._scanned
        if scanned:
            names |= self._scan(broker, deadline)
        found = _bound(broker, names)
        if not scanned and not set(asked) <= set(found.values()):
            found = _bound(broker, names | self._scan(broker, deadline))
        self._routes = found
        return found

    def _scan(self, broker: RedisBroker, deadline: Deadline) -> set[str]:
        head = broker.keys.binding("")
        names: set[str] = set()
        cursor: Any = 0
        keys: Any
        self.complete = False
        while not deadline.expired:
            cursor, keys = broker.client.scan(
                cursor, match=_literal(head) + "*", count=_CHUNK, _type="set"
            )
            names |= {key.decode("utf-8", "replace")[len(head) :] for key in keys}
            self._scanned = time.monotonic()
            if cursor == 0:
                self.complete = True
                break
        return names


def _bound(broker: RedisBroker, names: set[str]) -> dict[tuple[str, str], str]:
    wanted = sorted(name for name in names if name and not name.endswith("pidbox"))
    with broker.client.pipeline(transaction=False) as pipe:
        for name in wanted:
            pipe.smembers(broker.keys.binding(name))
        members = pipe.execute()
    found: dict[tuple[str, str], str] = {}
    for name, bound in zip(wanted, members, strict=True):
        for member in bound:
            queue, key = broker.keys.bound_queue(member)
            if is_tasks_queue(queue):
                found[(name, key)] = queue
    return found


def bound_mailboxes(broker: Broker, namespace: str) -> frozenset[str] | None:
    """Return the names of the workers whose mailbox is bound, or None if the broker is no Redis. Raises `Away`."""
    if not broker.is_redis:
        return None
    with away_if_down("the broker"):
        found = broker.redis()
        members: Any = found.client.smembers(found.keys.binding(f"{namespace}.pidbox"))
    queues = (found.keys.bound_queue(member)[0] for member in members)
    return frozenset(name.removesuffix(f".{namespace}.pidbox") for name in queues)


def _literal(text: str) -> str:
    """Return a glob pattern that matches this text alone."""
    return "".join(f"\\{sign}" if sign in "*?[]\\^-" else sign for sign in text)
