"""The last step of a complete reset: the agent's state, set to idle and read again."""

from typing import TYPE_CHECKING

from knowledge_base_agent.operations.operation import Progress
from knowledge_base_agent.operations.reset_runbook import Outcome, ResetTarget, Step
from knowledge_base_agent.operations.undo_agent import idle_undoably
from knowledge_base_agent.records.agent_state import IDLE, read_agent_state
from knowledge_base_agent.records.database import reading, writing

if TYPE_CHECKING:
    from knowledge_base_agent.deployment import Deployment


def _agent(deployment: "Deployment", target: ResetTarget, progress: Progress) -> Outcome:
    with writing(deployment.engine) as connection:
        former = read_agent_state(connection).status
        idle_undoably(deployment, connection, no_undo=target.no_undo)
    with reading(deployment.engine) as connection:
        now = read_agent_state(connection).status
    return Outcome(verified=now == IDLE, detail=f"was {former}, is {now}")


AGENT_IDLE = Step(name="agent idle", does="the agent's state is set to idle", do=_agent)
