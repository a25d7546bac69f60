"""Where the messages of a paused task are kept: one queue of kombu's for each task and queue, listed in one set."""

from urllib.parse import quote, unquote

INDEX = "kb.paused"
"""The set that lists what follows the colon of each parking queue's name."""


def parking_queue(task: str, queue: str) -> str:
    """Return the name of the queue where messages of this task from this queue are kept; no worker consumes it."""
    return f"{INDEX}:{index_entry(task, queue)}"


def index_entry(task: str, queue: str) -> str:
    """Return what the set holds for it. A colon within a task's name is quoted, so that it can be told apart."""
    return f"{quote(task, safe='')}:{queue}"


def read_index_entry(entry: str) -> tuple[str, str]:
    """Return the task and the queue that an entry of the set names."""
    task, _, queue = entry.partition(":")
    return unquote(task), queue
