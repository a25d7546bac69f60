"""What kind of tasks wait in a queue: the next few messages of each list, read from outside, never a body."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from knowledge_base_agent.fleet.broker import RedisBroker
from knowledge_base_agent.fleet.envelopes import Envelope, read_envelope

MOST = 100
"""Messages read of one queue."""
UNNAMED = "unnamed"


@dataclass(frozen=True, kw_only=True)
class Sample:
    """The messages that are next in one queue."""

    read: int
    names: Mapping[str, int] = field(default_factory=dict)
    """How many of each task."""
    grouped: int = 0
    """How many belong to a group. Where that is the header of a chord, its body waits for each of them for ever."""


def sample(broker: RedisBroker, queue: str) -> Sample:
    """Read at most `MOST` of a queue's messages, the next to be taken first. Blocks: call it behind a deadline."""
    found: list[Envelope | None] = []
    for _, key in broker.keys.lists(queue):
        if len(found) >= MOST:
            break
        raw: Any = broker.client.lrange(key, -(MOST - len(found)), -1)
        found += [read_envelope(one) for one in raw]
    read = [one for one in found if one is not None]
    return Sample(
        read=len(found),
        names=dict(Counter(one.name or UNNAMED for one in read).most_common()),
        grouped=sum(one.group is not None for one in read),
    )
