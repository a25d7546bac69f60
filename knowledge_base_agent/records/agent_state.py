"""What the agent does at present: one row, read by people and written by the agent's own task."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, select

from knowledge_base_agent.clock import utc_now
from knowledge_base_agent.records.tables import AGENT_STATE
from knowledge_base_agent.records.upserts import upsert
from knowledge_base_agent.redaction import redact

IDLE = "idle"
RUNNING = "running"
_ROW = 1


@dataclass(frozen=True, kw_only=True)
class AgentState:
    """The agent's state. `started_at` and `updated_at` are aware UTC; None before its first run."""

    status: str
    phase: str | None = None
    task_id: str | None = None
    source: str | None = None
    started_at: datetime | None = None
    updated_at: datetime | None = None


def read_agent_state(connection: Connection) -> AgentState:
    """Return the agent's state; idle when it has never run."""
    row = connection.execute(select(AGENT_STATE).where(AGENT_STATE.c.id == _ROW)).mappings().first()
    if row is None:
        return AgentState(status=IDLE)
    return AgentState(**{name: value for name, value in row.items() if name != "id"})


def set_running(
    connection: Connection, *, task_id: str, source: str, phase: str, started_at: datetime
) -> None:
    """Say that the agent works on `source` in the task `task_id` since then (aware UTC), now in this phase.

    The source is kept redacted: it is for people, and an address may hold a password.
    """
    state = AgentState(
        status=RUNNING,
        phase=phase,
        task_id=task_id,
        source=redact(source),
        started_at=started_at,
        updated_at=utc_now(),
    )
    put_state(connection, state)


def set_idle(connection: Connection, *, only_task: str | None = None) -> bool:
    """Say that the agent does nothing. With `only_task`, only when the row is about that task; tell whether it was."""
    before = read_agent_state(connection)
    if only_task is not None and before.task_id != only_task:
        return False
    put_state(connection, AgentState(status=IDLE, updated_at=utc_now()))
    return True


def put_state(connection: Connection, state: AgentState) -> None:
    """Write this state, whatever was there; that of an agent that has never run is no row."""
    if state.updated_at is None:
        connection.execute(delete(AGENT_STATE).where(AGENT_STATE.c.id == _ROW))
        return
    values = {
        "id": _ROW,
        **{name: getattr(state, name) for name in AgentState.__dataclass_fields__},
    }
    connection.execute(upsert(connection, AGENT_STATE), values)
