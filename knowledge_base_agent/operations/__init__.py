"""All operations, in the order in which help lists them."""

from knowledge_base_agent.operations.active import ACTIVE
from knowledge_base_agent.operations.alerts import ALERTS
from knowledge_base_agent.operations.alerts_taking import ACKNOWLEDGE, SNOOZE
from knowledge_base_agent.operations.audit import AUDIT, AUDIT_EXPORT
from knowledge_base_agent.operations.audit_verify import AUDIT_VERIFY
from knowledge_base_agent.operations.clear import CLEAR
from knowledge_base_agent.operations.doctor import DOCTOR
from knowledge_base_agent.operations.failures import FAILURES
from knowledge_base_agent.operations.find import FIND
from knowledge_base_agent.operations.flush import FLUSH
from knowledge_base_agent.operations.help import HELP
from knowledge_base_agent.operations.logs import LOGS
from knowledge_base_agent.operations.maintenance import MAINTENANCE
from knowledge_base_agent.operations.operation import AnyOperation
from knowledge_base_agent.operations.ops import OPS
from knowledge_base_agent.operations.ops_resume import OPS_ABANDON, OPS_RESUME
from knowledge_base_agent.operations.pause import PAUSE
from knowledge_base_agent.operations.purge import PURGE
from knowledge_base_agent.operations.queued import QUEUED
from knowledge_base_agent.operations.reserved import RESERVED
from knowledge_base_agent.operations.reset import RESET
from knowledge_base_agent.operations.reset_agent import RESET_AGENT
from knowledge_base_agent.operations.resume import RESUME
from knowledge_base_agent.operations.retry import RETRY
from knowledge_base_agent.operations.revoke import REVOKE
from knowledge_base_agent.operations.run import RUN
from knowledge_base_agent.operations.scheduled import SCHEDULED
from knowledge_base_agent.operations.search import SEARCH
from knowledge_base_agent.operations.stats import STATS
from knowledge_base_agent.operations.stuck import STUCK
from knowledge_base_agent.operations.task import TASK
from knowledge_base_agent.operations.undo import UNDO
from knowledge_base_agent.operations.workers import WORKERS
from knowledge_base_agent.operations.workers_rate_limit import RATE_LIMIT
from knowledge_base_agent.operations.workers_resize import GROW, SHRINK
from knowledge_base_agent.operations.workers_shutdown import SHUTDOWN
from knowledge_base_agent.problems import NotFound

OPERATIONS: tuple[AnyOperation, ...] = (
    STATS,
    ACTIVE,
    SCHEDULED,
    RESERVED,
    QUEUED,
    STUCK,
    WORKERS,
    GROW,
    SHRINK,
    RATE_LIMIT,
    SHUTDOWN,
    ALERTS,
    ACKNOWLEDGE,
    SNOOZE,
    FAILURES,
    FIND,
    TASK,
    LOGS,
    CLEAR,
    REVOKE,
    RETRY,
    PURGE,
    PAUSE,
    RESUME,
    FLUSH,
    RESET_AGENT,
    RESET,
    UNDO,
    MAINTENANCE,
    OPS,
    OPS_RESUME,
    OPS_ABANDON,
    DOCTOR,
    AUDIT,
    AUDIT_VERIFY,
    AUDIT_EXPORT,
    RUN,
    SEARCH,
    HELP,
)


def operation_named(name: str, among: tuple[AnyOperation, ...] = OPERATIONS) -> AnyOperation:
    """Return the operation with this name or alias. Raises `NotFound`."""
    for operation in among:
        if name == operation.name or name in operation.aliases:
            return operation
    raise NotFound(f"There is no operation “{name}”.", "`/kb help` lists them all.")
