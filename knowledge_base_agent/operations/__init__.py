"""All operations, in the order in which help lists them; each is loaded when somebody asks for it by name.

In the shell every word starts a new process, and loading all of them takes longer than most answers do.
`OPERATIONS` is the tuple of all of them, and loads them.
"""

from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING

from knowledge_base_agent.operations.operation import AnyOperation, Operation
from knowledge_base_agent.problems import NotFound


@dataclass(frozen=True)
class Listed:
    """Where an operation is, and its names: its own first. A test holds the names against the operation's own."""

    module: str
    constant: str
    names: tuple[str, ...]

    def load(self) -> AnyOperation:
        """Return the operation itself."""
        module = import_module(f"{__name__}.{self.module}")
        found = getattr(module, self.constant)
        if not isinstance(found, Operation):
            raise TypeError(f"{self.constant} of {module.__name__} is no operation")
        return found


LISTED: tuple[Listed, ...] = (
    Listed("stats", "STATS", ("stats",)),
    Listed(
        "active",
        "ACTIVE",
        (
            "active",
            "active-tasks",
        ),
    ),
    Listed(
        "scheduled",
        "SCHEDULED",
        (
            "scheduled",
            "scheduled-tasks",
        ),
    ),
    Listed(
        "reserved",
        "RESERVED",
        (
            "reserved",
            "reserved-tasks",
        ),
    ),
    Listed("queued", "QUEUED", ("queued",)),
    Listed(
        "stuck",
        "STUCK",
        (
            "stuck",
            "stuck-tasks",
        ),
    ),
    Listed("workers", "WORKERS", ("workers",)),
    Listed("workers_resize", "GROW", ("workers grow",)),
    Listed("workers_resize", "SHRINK", ("workers shrink",)),
    Listed("workers_rate_limit", "RATE_LIMIT", ("workers rate-limit",)),
    Listed("workers_shutdown", "SHUTDOWN", ("workers shutdown",)),
    Listed("alerts", "ALERTS", ("alerts",)),
    Listed("alerts_taking", "ACKNOWLEDGE", ("alerts acknowledge",)),
    Listed("alerts_taking", "SNOOZE", ("alerts snooze",)),
    Listed("failures", "FAILURES", ("failures",)),
    Listed("find", "FIND", ("find",)),
    Listed("task", "TASK", ("task",)),
    Listed("logs", "LOGS", ("logs",)),
    Listed(
        "clear",
        "CLEAR",
        (
            "clear",
            "clear-old-tasks",
        ),
    ),
    Listed(
        "revoke",
        "REVOKE",
        (
            "revoke",
            "revoke-tasks",
        ),
    ),
    Listed(
        "retry",
        "RETRY",
        (
            "retry",
            "retry-tasks",
        ),
    ),
    Listed(
        "purge",
        "PURGE",
        (
            "purge",
            "purge-queues",
        ),
    ),
    Listed("pause", "PAUSE", ("pause",)),
    Listed("resume", "RESUME", ("resume",)),
    Listed(
        "flush",
        "FLUSH",
        (
            "flush",
            "flush-redis",
        ),
    ),
    Listed(
        "reset_agent",
        "RESET_AGENT",
        (
            "reset-agent",
            "reset-agent-state",
        ),
    ),
    Listed("reset", "RESET", ("reset",)),
    Listed("undo", "UNDO", ("undo",)),
    Listed("maintenance", "MAINTENANCE", ("maintenance",)),
    Listed("ops", "OPS", ("ops",)),
    Listed("ops_resume", "OPS_RESUME", ("ops resume",)),
    Listed("ops_resume", "OPS_ABANDON", ("ops abandon",)),
    Listed("doctor", "DOCTOR", ("doctor",)),
    Listed("audit", "AUDIT", ("audit",)),
    Listed("audit_verify", "AUDIT_VERIFY", ("audit verify",)),
    Listed("audit", "AUDIT_EXPORT", ("audit export",)),
    Listed("run", "RUN", ("run",)),
    Listed("search", "SEARCH", ("search",)),
    Listed("help", "HELP", ("help",)),
)
NAMES = {name: listed for listed in LISTED for name in listed.names}
"""Where each name and alias leads, without loading anything."""

if TYPE_CHECKING:
    OPERATIONS: tuple[AnyOperation, ...]
else:

    def __getattr__(name):
        if name == "OPERATIONS":
            return _all()
        raise AttributeError(f"module {__name__} has no attribute {name}")


@cache
def _all() -> tuple[AnyOperation, ...]:
    return tuple(listed.load() for listed in LISTED)


def operation_named(name: str, among: tuple[AnyOperation, ...] | None = None) -> AnyOperation:
    """Return the operation with this name or alias, of those given or of all. Raises `NotFound`."""
    if among is None and name in NAMES:
        return NAMES[name].load()
    for operation in among or ():
        if name == operation.name or name in operation.aliases:
            return operation
    raise NotFound(f"There is no operation “{name}”.", "`/kb help` lists them all.")
