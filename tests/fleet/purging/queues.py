"""The two queues that are purged, where they are put aside, and what is left in them."""

from datetime import timedelta
from uuid import uuid4

import redis

from knowledge_base_agent.clock import utc_now
from knowledge_base_agent.fleet.deadline import Deadline
from knowledge_base_agent.fleet.fleet import Fleet
from knowledge_base_agent.fleet.purging import Aside

QUEUES = ("celery", "other")


def aside(fleet: Fleet) -> Aside:
    lists = fleet.asides.plan(Deadline.after(5), QUEUES, uuid4().hex)
    return Aside(lists=lists, until=utc_now() + timedelta(hours=1))


def counted(broker: redis.Redis) -> list[int]:
    return [int(broker.llen(key)) for key in ("celery", "celery\x06\x163", "other")]


def transactions(broker: redis.Redis) -> int:
    return int(broker.info("commandstats").get("cmdstat_exec", {"calls": 0})["calls"])
