"""What `stats` says of each Redis: memory, its limit and policy, evicted keys."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from knowledge_base_agent.fleet.deadline import Deadline, Unknown
from knowledge_base_agent.fleet.redis_state import RedisState, read_states
from knowledge_base_agent.report import Column, Note, Part, Row, Size, Table, Tone, Value
from knowledge_base_agent.settings import Settings
from knowledge_base_agent.wording import counted

if TYPE_CHECKING:
    from knowledge_base_agent.deployment import Deployment

COLUMNS = (
    Column(key="role", label="Redis"),
    Column(key="used_bytes", label="Memory"),
    Column(key="max_bytes", label="Limit"),
    Column(key="policy", label="When full"),
    Column(key="evicted", label="Evicted keys"),
    Column(key="latency_seconds", label="Ping"),
)


def redis_parts(deployment: "Deployment", deadline: Deadline) -> Iterator[Part]:
    """Yield the state of each Redis server once, named by what it is used for."""
    states = read_states(deadline, deployment.redis_clients, redis_servers(deployment.settings))
    rows = tuple(
        _row(role, state) for role, state in states.items() if isinstance(state, RedisState)
    )
    if rows:
        yield Table(caption="Redis", columns=COLUMNS, rows=rows, total=len(states))
    for role, state in states.items():
        if isinstance(state, Unknown):
            yield Note(text=f"Unknown: memory of {role}. {state.reason}", tone=Tone.BAD)
        elif state.evicted_keys:
            keys = counted(state.evicted_keys, "key")
            yield Note(
                text=f"{role}: {keys} evicted for want of memory; queued tasks may be among them.",
                tone=Tone.BAD,
            )
        elif state.may_evict_queues:
            yield Note(
                text=f"{role}: policy {state.policy} drops queued tasks when memory is full. Use noeviction.",
                tone=Tone.WARNING,
            )


def redis_servers(settings: Settings) -> dict[str, str]:
    """Return one URL a server: memory and policy belong to the server, not to its numbered databases."""
    roles = {
        "broker": settings.broker_url,
        "results": settings.result_backend,
        "progress": settings.progress_url,
        "logs": settings.logs_url,
        "history": settings.history_url,
    }
    servers: dict[str, tuple[str, list[str]]] = {}
    for role, url in roles.items():
        if not url.startswith(("redis://", "rediss://", "unix://")):
            continue
        server = url.rpartition("/")[0] if url.rpartition("/")[2].isdigit() else url
        servers.setdefault(server, (url, []))[1].append(role)
    return {", ".join(names): url for url, names in servers.values()}


def _row(role: str, state: RedisState) -> Row:
    used = Size(state.used_memory) if state.used_memory is not None else None
    limit: Value = None
    if state.max_memory is not None:
        limit = Size(state.max_memory) if state.max_memory else "none"
    return Row(cells=(role, used, limit, state.policy, state.evicted_keys, state.latency))
