"""The words that our own control commands and their readers share."""

COMMANDS = "knowledge_base_agent.fleet.worker_commands"
"""The module that an app imports so that its workers know them."""
LOOK = "kb_look"
KILL = "kb_kill"
PAUSE_TASK = "kb_pause_task"
REGISTER_PREFIX = "kb.workers."
VERSION = 1
ENROLLED = "enrolled"
"""Under this a worker says, in its answer to `LOOK`, whether it is one of those that RabbitMQ counts for us."""
FIELDS = (
    "id",
    "name",
    "age",
    "process",
    "redelivered",
    "queue",
    "limit",
    "retries",
    "group",
    "chord",
    "root",
    "parent",
    "eta",
    "arguments",
)
"""What is told of a task, in this order. Ages and limits in seconds, times in ISO 8601."""


def register_of(namespace: str) -> str:
    """Return the queue whose consumers are the workers of this control exchange, where they are counted so."""
    return f"{REGISTER_PREFIX}{namespace}"
