"""The agent's state: what it was before it was set to idle, kept in the transaction that changed it."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection

from knowledge_base_agent.operations.operation import Progress
from knowledge_base_agent.operations.undo_kinds import Item, KeepsakeKind, nothing_held
from knowledge_base_agent.operations.undoable import keeping
from knowledge_base_agent.records.agent_state import (
    AgentState,
    put_state,
    read_agent_state,
    set_idle,
)
from knowledge_base_agent.records.database import reading, writing
from knowledge_base_agent.records.keepsakes import Keepsake
from knowledge_base_agent.redaction import plain

if TYPE_CHECKING:
    from knowledge_base_agent.deployment import Deployment

_NAME = "agent state"
_TIMES = ("started_at", "updated_at")


def idle_undoably(
    deployment: "Deployment",
    connection: Connection,
    *,
    only_task: str | None = None,
    no_undo: bool = False,
) -> bool:
    """Set the agent to idle as `set_idle` does, and keep what it was, in the same transaction."""
    former = read_agent_state(connection)
    if not set_idle(connection, only_task=only_task):
        return False
    if no_undo:
        return True
    kept = {"former": _plain(former), "now": _plain(read_agent_state(connection))}
    keeping(deployment).keep_in(connection, _NAME, kept, number=1)
    return True


def _plain(state: AgentState) -> dict[str, str | None]:
    return {k: v.isoformat() if isinstance(v, datetime) else v for k, v in asdict(state).items()}


def _state(kept: Mapping[str, Any]) -> AgentState:
    times = {name: datetime.fromisoformat(kept[name]) for name in _TIMES if kept[name]}
    return AgentState(**{**kept, **times})


def _judge(now: AgentState, keepsake: Keepsake) -> Item:
    former = _state(keepsake.kept["former"])
    what = f"agent state ({plain(former.status, 40)})"
    if now == former:
        return Item(what=what, number=1, why="it is so already")
    if now != _state(keepsake.kept["now"]):
        why = f"it has changed since: it is {plain(now.status, 40)} now"
        return Item(what=what, number=0, left=1, why=why)
    return Item(what=what, number=1)


def _look(deployment: "Deployment", keepsake: Keepsake) -> tuple[Item, ...]:
    with reading(deployment.engine) as connection:
        return (_judge(read_agent_state(connection), keepsake),)


def _bring_back(
    deployment: "Deployment", keepsake: Keepsake, progress: Progress
) -> tuple[Item, ...]:
    with writing(deployment.engine) as connection:
        item = _judge(read_agent_state(connection), keepsake)
        if item.number:
            put_state(connection, _state(keepsake.kept["former"]))
    return (item,)


AGENT = KeepsakeKind(name=_NAME, look=_look, bring_back=_bring_back, free=nothing_held)
