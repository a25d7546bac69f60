"""Which purge took a task's message: told only where the message itself was found among what that purge put aside."""

from typing import TYPE_CHECKING

from knowledge_base_agent.clock import utc_now
from knowledge_base_agent.fleet.deadline import Deadline, within
from knowledge_base_agent.operations.undo_messages import MESSAGES
from knowledge_base_agent.problems import Away
from knowledge_base_agent.records.database import reading
from knowledge_base_agent.records.keepsakes import Keepsake, all_kept
from knowledge_base_agent.redaction import plain

if TYPE_CHECKING:
    from knowledge_base_agent.deployment import Deployment

_SECONDS = 0.8


def purged_by(deployment: "Deployment", task_id: str) -> str:
    """Return a sentence that names the purge, and what brings the message back; empty where that can't be told.

    On RabbitMQ what was put aside can't be looked into, and of a purge with `--no-undo` nothing is left to look at.
    """
    if not deployment.fleet.broker_is_redis:
        return ""
    deadline = Deadline.after(_SECONDS)
    try:
        for one in within(deadline, lambda: _kept(deployment), source="the database"):
            keys = [(str(queue), str(aside)) for queue, _, aside in one.kept.get("lists", ())]
            queue = deployment.fleet.messages.find_aside(deadline, keys, task_id)
            if queue is not None:
                at, until = f"{one.kept_at:%Y-%m-%d %H:%M:%S}", f"{one.expires_at:%Y-%m-%d %H:%M}"
                return (
                    f"Its message was purged from {plain(queue, 80)} by {one.run_id}, at {at} UTC. Until {until} UTC "
                    f"`undo {one.run_id}` brings it back, with all that went with it."
                )
    except Away:
        return ""  # a detail beside the sentence that names the ways in which a message goes
    return ""


def _kept(deployment: "Deployment") -> tuple[Keepsake, ...]:
    with reading(deployment.engine) as connection:
        return all_kept(connection, MESSAGES.name, utc_now())
